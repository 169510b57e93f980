# SPDX-License-Identifier: Apache-2.0

reduce = reduce
WRAPPER_ASSIGNMENTS = ('__module__', '__name__', '__qualname__', '__doc__')
WRAPPER_UPDATES = ('__dict__',)

class partial(object):
    def __init__(self, func, *args, **kw):
        self.func, self.args, self.keywords = func, args, kw

    def __call__(self, *args, **kw):
        merged = dict(self.keywords)
        merged.update(kw)
        return self.func(*(self.args + args), **merged)

def partialmethod(func, *args, **kw):
    def call(self, *more, **named):
        return partial(func, self, *args, **kw)(*more, **named)
    return call

def update_wrapper(fn, wrapped, *args, **kw):
    for n in ('__name__', '__doc__'):
        if hasattr(wrapped, n):
            setattr(fn, n, getattr(wrapped, n))
    fn.__wrapped__ = wrapped
    return fn

def wraps(wrapped, *args, **kw):
    return lambda fn: update_wrapper(fn, wrapped)

class _Info(tuple):
    hits = property(lambda self: self[0])
    misses = property(lambda self: self[1])
    maxsize = property(lambda self: self[2])
    currsize = property(lambda self: self[3])

    def __repr__(self):
        return 'CacheInfo(hits=%d, misses=%d, maxsize=%r, currsize=%d)' % tuple(self)

def lru_cache(maxsize=128, typed=False):
    if callable(maxsize):
        return lru_cache()(maxsize)
    def decorate(fn):
        known, seen = {}, [0, 0]
        def call(*args, **kw):
            key = (args, tuple(sorted(kw.items()))) if kw else args
            if key in known:
                seen[0] += 1
                known[key] = known.pop(key)
                return known[key]
            seen[1] += 1
            out = fn(*args, **kw)
            if maxsize is None or maxsize > 0:
                if maxsize is not None and len(known) >= maxsize:
                    del known[next(iter(known))]
                known[key] = out
            return out
        def clear():
            known.clear()
            seen[:] = [0, 0]
        update_wrapper(call, fn)
        call.cache_clear = clear
        call.cache_info = lambda: _Info((seen[0], seen[1], maxsize, len(known)))
        return call
    return decorate

cache = lru_cache(maxsize=None)

def cmp_to_key(fn):
    class Key(object):
        def __init__(self, value):
            self.value = value

        def __cmp__(self, other):
            return fn(self.value, other.value)

        def __eq__(self, other):
            return fn(self.value, other.value) == 0
    return Key

def total_ordering(cls):
    def has(n):
        return n in cls.__dict__ or any([n in b.__dict__ for b in cls.__mro__])
    if has('__lt__'):
        rules = [('__gt__', lambda a, b: not (a < b) and a != b), ('__le__', lambda a, b: a < b or a == b), ('__ge__', lambda a, b: not a < b)]
    elif has('__le__'):
        rules = [('__ge__', lambda a, b: not (a <= b) or a == b), ('__lt__', lambda a, b: a <= b and not a == b), ('__gt__', lambda a, b: not a <= b)]
    elif has('__gt__'):
        rules = [('__lt__', lambda a, b: not (a > b) and a != b), ('__ge__', lambda a, b: a > b or a == b), ('__le__', lambda a, b: not a > b)]
    elif has('__ge__'):
        rules = [('__le__', lambda a, b: not (a >= b) or a == b), ('__gt__', lambda a, b: a >= b and not a == b), ('__lt__', lambda a, b: not a >= b)]
    else:
        raise ValueError('must define at least one ordering operation: < > <= >=')
    for n, rule in rules:
        if not has(n):
            setattr(cls, n, rule)
    return cls

def cached_property(fn):
    def get(self):
        name = '_cached_' + fn.__name__
        if name not in self.__dict__:
            setattr(self, name, fn(self))
        return getattr(self, name)
    return property(get)

def singledispatch(fn):
    known = {}
    def find(cls):
        for c in cls.__mro__:
            if c in known:
                return known[c]
        return fn
    def call(*args, **kw):
        return find(type(args[0]))(*args, **kw)
    def register(cls, impl=None):
        if impl is None:
            return lambda f: register(cls, f)
        known[cls] = impl
        return impl
    update_wrapper(call, fn)
    call.register, call.dispatch = register, find
    return call
