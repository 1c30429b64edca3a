"""Gauss–Kronrod pairs, computed rather than tabulated: two nested rules on the same nodes."""

import numpy as np


def gauss_kronrod(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes and weights of the Kronrod extension (2n+1 points) of the n-point Gauss rule (n odd), and the Gauss weights
    on the same nodes.

    The Kronrod nodes are the zeros of P_n·E, with E (the Stieltjes polynomial) found from its orthogonality to all
    lower powers with weight P_n; the weights from exactness on Legendre polynomials.
    """
    legendre = np.polynomial.legendre
    x, w = legendre.leggauss(4 * n)
    p_n = legendre.legval(x, [0] * n + [1])
    basis = legendre.legvander(x, n + 1)
    moments = np.einsum("q,q,qi,qj->ij", w, p_n, basis[:, : n + 1], basis)
    coefficients = np.linalg.lstsq(moments[:, :-1], -moments[:, -1], rcond=None)[0]
    stieltjes = np.append(coefficients, 1.0)
    gauss = legendre.leggauss(n)
    added = np.sort(legendre.legroots(stieltjes).real)
    derivative = legendre.legder(stieltjes)
    for _ in range(3):
        added = added - legendre.legval(added, stieltjes) / legendre.legval(added, derivative)
    nodes = np.sort(np.concatenate([gauss[0], added]))
    nodes = (nodes - nodes[::-1]) / 2
    vander = legendre.legvander(nodes, len(nodes) - 1)
    weights = np.linalg.solve(vander.T, np.append(2.0, np.zeros(len(nodes) - 1)))
    coarse = np.zeros_like(nodes)
    coarse[1::2] = gauss[1]
    return nodes, (weights + weights[::-1]) / 2, coarse


KRONROD_NODES, KRONROD_WEIGHTS, GAUSS_WEIGHTS = gauss_kronrod(15)
"""The 31-point rule on [-1, 1]: 15 Gauss nodes and 16 added ones; Gauss weights are zero at the added nodes."""
