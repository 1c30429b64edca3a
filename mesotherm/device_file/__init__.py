"""The device file (TOML): reading, explaining, describing, starting one."""

from mesotherm.device_file.document import DeviceFileError, Run, load

__all__ = ["DeviceFileError", "Run", "load"]
