"""The theories: each turns a device into currents behind the contract of :mod:`mesotherm.device`."""
