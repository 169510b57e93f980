# SPDX-License-Identifier: Apache-2.0

reduce = reduce

def partial(fn, *args, **kw):
    def call(*more, **named):
        merged = dict(kw)
        merged.update(named)
        return fn(*(args + more), **merged)
    call.func, call.args, call.keywords = fn, args, kw
    return call

def wraps(wrapped, *args, **kw):
    def decorate(fn):
        try:
            fn.__name__ = wrapped.__name__
            fn.__doc__ = wrapped.__doc__
        except AttributeError:
            pass
        return fn
    return decorate

def update_wrapper(fn, wrapped, *args, **kw):
    return wraps(wrapped)(fn)

def lru_cache(maxsize=128, typed=False):
    if callable(maxsize):
        return lru_cache()(maxsize)
    def decorate(fn):
        known = {}
        def call(*args, **kw):
            key = (args, tuple(sorted(kw.items())))
            if key not in known:
                known[key] = fn(*args, **kw)
            return known[key]
        return call
    return decorate

def cmp_to_key(fn):
    class Key(object):
        def __init__(self, value):
            self.value = value

        def __cmp__(self, other):
            return fn(self.value, other.value)
    return Key

def total_ordering(cls):
    return cls
