# SPDX-License-Identifier: Apache-2.0

class _Manager(object):
    def __init__(self, it):
        self._it = it

    def __enter__(self):
        return next(self._it)

    def __exit__(self, kind, value, trace):
        if kind is not None:
            return False
        for _ in self._it:
            raise RuntimeError("generator didn't stop")
        return False

def contextmanager(fn):
    return lambda *args, **kw: _Manager(iter(fn(*args, **kw)))

class closing(object):
    def __init__(self, thing):
        self.thing = thing

    def __enter__(self):
        return self.thing

    def __exit__(self, *info):
        self.thing.close()
        return False

class suppress(object):
    def __init__(self, *kinds):
        self._kinds = kinds

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        return kind is not None and issubclass(kind, self._kinds)

class nullcontext(object):
    def __init__(self, value=None):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *info):
        return False
