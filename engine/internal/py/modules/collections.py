# SPDX-License-Identifier: Apache-2.0

class defaultdict(dict):
    def __init__(self, default_factory=None, *args, **kw):
        self.default_factory = default_factory
        dict.update(self, *args, **kw)

    def __missing__(self, key):
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = self.default_factory()
        return self[key]

    def __repr__(self):
        return 'defaultdict(%r, %r)' % (self.default_factory, dict(self))

    def copy(self):
        return defaultdict(self.default_factory, self)

class OrderedDict(dict):
    def __init__(self, *args, **kw):
        dict.update(self, *args, **kw)

    def __repr__(self):
        return 'OrderedDict(%r)' % (list(self.items()),) if self else 'OrderedDict()'

    def __eq__(self, other):
        if isinstance(other, OrderedDict):
            return list(self.items()) == list(other.items())
        return dict(self) == other

    def __ne__(self, other):
        return not self == other

    def copy(self):
        return OrderedDict(self)

    @classmethod
    def fromkeys(cls, keys, value=None):
        return cls([(k, value) for k in keys])

    def popitem(self, last=True):
        key = list(self.keys())[-1 if last else 0]
        return key, self.pop(key)

    def move_to_end(self, key, last=True):
        value = self.pop(key)
        if last:
            self[key] = value
            return
        rest = list(self.items())
        self.clear()
        self[key] = value
        self.update(rest)

class Counter(dict):
    def __init__(self, iterable=None, **kw):
        self.update(iterable, **kw)

    def __missing__(self, key):
        return 0

    def __repr__(self):
        if not self:
            return 'Counter()'
        return 'Counter({%s})' % ', '.join(['%r: %r' % i for i in self.most_common()])

    def update(self, iterable=None, **kw):
        if isinstance(iterable, dict):
            for k, n in iterable.items():
                self[k] = self[k] + n
        elif iterable is not None:
            for k in iterable:
                self[k] = self[k] + 1
        for k, n in kw.items():
            self[k] = self[k] + n

    def subtract(self, iterable):
        for k, n in Counter(iterable).items():
            self[k] = self[k] - n

    def most_common(self, n=None):
        out = sorted(self.items(), key=lambda i: -i[1])
        return out if n is None else out[:n]

    def elements(self):
        return iter([k for k, n in self.items() for _ in range(n)])

    def total(self):
        return sum(self.values())

    def copy(self):
        return Counter(self)

    def __delitem__(self, key):
        self.pop(key, None)

    @classmethod
    def _positive(cls, items):
        return cls(dict([i for i in items if i[1] > 0]))

    def _with(self, other, fn):
        keys = list(self) + [k for k in other if k not in self]
        return Counter._positive([(k, fn(self[k], other[k])) for k in keys])

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __and__(self, other):
        return self._with(other, min)

    def __or__(self, other):
        return self._with(other, max)

    def __pos__(self):
        return Counter._positive(self.items())

    def __neg__(self):
        return Counter._positive([(k, -n) for k, n in self.items()])

class deque(list):
    def __init__(self, iterable=(), maxlen=None):
        self.maxlen = maxlen
        list.extend(self, iterable)
        self._trim()

    def _trim(self):
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[:len(self) - self.maxlen]

    def __repr__(self):
        tail = '' if self.maxlen is None else ', maxlen=%d' % self.maxlen
        return 'deque(%r%s)' % (list(self), tail)

    def append(self, x):
        list.append(self, x)
        self._trim()

    def extend(self, items):
        list.extend(self, items)
        self._trim()

    def __iadd__(self, items):
        self.extend(items)
        return self

    def appendleft(self, x):
        self.insert(0, x)
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[self.maxlen:]

    def extendleft(self, items):
        for x in items:
            self.appendleft(x)

    def popleft(self):
        return self.pop(0)

    def copy(self):
        return deque(self, self.maxlen)

    def clear(self):
        del self[:]

    def rotate(self, n=1):
        if self:
            n %= len(self)
            self[:] = self[len(self) - n:] + self[:len(self) - n]

class ChainMap(object):
    def __init__(self, *maps):
        self.maps = list(maps) or [{}]

    def __getitem__(self, key):
        for m in self.maps:
            if key in m:
                return m[key]
        raise KeyError(key)

    def get(self, key, default=None):
        return self[key] if key in self else default

    def keys(self):
        seen = {}
        for m in reversed(self.maps):
            for k in m:
                seen[k] = True
        return list(seen)

    def values(self):
        return [self[k] for k in self.keys()]

    def items(self):
        return [(k, self[k]) for k in self.keys()]

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self.keys())

    def __contains__(self, key):
        return any([key in m for m in self.maps])

    def __setitem__(self, key, value):
        self.maps[0][key] = value

    def __delitem__(self, key):
        del self.maps[0][key]

    def __repr__(self):
        return 'ChainMap(%s)' % ', '.join([repr(m) for m in self.maps])

    def new_child(self, m=None, **kw):
        m = dict(m or {})
        m.update(kw)
        return ChainMap(m, *self.maps)

    @property
    def parents(self):
        return ChainMap(*self.maps[1:])

class UserDict(dict): pass
class UserList(list): pass
class UserString(str): pass

# What isinstance is asked about.
Mapping = MutableMapping = dict
Set = MutableSet = set
MutableSequence = list
Sequence = (list, tuple, str)
Iterable = Container = Sized = Collection = (list, tuple, str, dict, set, type(x for x in ()))
Hashable = (str, int, float, tuple)
Callable = type(lambda: None)

_KEYWORDS = ('and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass '
             'raise return try while with yield None True False').split()

def _fields_of(names, rename):
    if isinstance(names, str):
        names = names.replace(',', ' ').split()
    out = []
    for i, n in enumerate(names):
        bad = not n or not n.replace('_', 'a').isalnum() or n[0].isdigit() or n[0] == '_' or n in _KEYWORDS or n in out
        if bad and not rename:
            raise ValueError('%r cannot be the name of a field' % n)
        out.append('_%d' % i if bad else n)
    return tuple(out)

def namedtuple(typename, field_names, verbose=False, rename=False, defaults=None, module=None):
    names = _fields_of(field_names, rename)
    given = dict(zip(names[len(names) - len(defaults or ()):], defaults or ()))

    class Tuple(tuple):
        _fields = names
        _field_defaults = given

        @classmethod
        def __new_base__(cls, *args, **kw):
            values = list(args)
            for n in names[len(args):]:
                if n not in kw and n not in given:
                    raise TypeError('%s is missing' % n)
                values.append(kw.pop(n) if n in kw else given[n])
            if kw or len(values) != len(names):
                raise TypeError('%s() takes exactly %d arguments' % (typename, len(names)))
            return tuple(values)

        def __getattr__(self, name):
            if name in names:
                return self[names.index(name)]
            raise AttributeError(name)

        def __repr__(self):
            return '%s(%s)' % (typename, ', '.join(['%s=%r' % i for i in zip(names, self)]))

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _asdict(self):
            return OrderedDict(zip(names, self))

        def _replace(self, **kw):
            for n in kw:
                if n not in names:
                    raise ValueError('Got unexpected field names: %r' % [n])
            return Tuple(*[kw.get(n, v) for n, v in zip(names, self)])
    Tuple.__name__ = typename
    return Tuple
