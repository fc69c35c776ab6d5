"""Giving the front of a file back to the disk while another process goes on writing its end."""

import ctypes
import errno
import functools
import os
from collections.abc import Callable

KEEP_SIZE = 0x01
PUNCH_HOLE = 0x02
"""`FALLOC_FL_…` of linux/falloc.h; Python's `os.posix_fallocate` cannot punch."""

_PAGE = 4096


def punch(descriptor: int, length: int) -> None:
    """Free the first `length` bytes (whole pages) of a file open for writing.

    They read as zeros afterwards; size, position and descriptors of the file stay as they are.
    Raises OSError: EOPNOTSUPP where the file system cannot (FAT, most network ones), EBADF for a
    descriptor that may not write, ENOSPC on a disk too full to note the hole.
    """
    length -= length % _PAGE
    if length <= 0:
        return
    if _fallocate()(descriptor, PUNCH_HOLE | KEEP_SIZE, 0, length) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@functools.cache
def _fallocate() -> Callable[[int, int, int, int], int]:
    libc = ctypes.CDLL(None, use_errno=True)
    # On a 32-bit system plain fallocate() takes 32-bit offsets; musl has only the plain name.
    function = getattr(libc, "fallocate64", None) or getattr(libc, "fallocate", None)
    if function is None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    call: Callable[[int, int, int, int], int] = function
    return call
