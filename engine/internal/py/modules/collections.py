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

    def copy(self):
        return defaultdict(self.default_factory, self)

class OrderedDict(dict):
    def __init__(self, *args, **kw):
        dict.update(self, *args, **kw)

    def __repr__(self):
        return 'OrderedDict(%r)' % (list(self.items()),) if self else 'OrderedDict()'

    def copy(self):
        return OrderedDict(self)

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

    def __add__(self, other):
        out = Counter(self)
        out.update(other)
        return Counter(dict([i for i in out.items() if i[1] > 0]))

    def __sub__(self, other):
        out = Counter(self)
        out.subtract(other)
        return Counter(dict([i for i in out.items() if i[1] > 0]))

class deque(list):
    def __init__(self, iterable=(), maxlen=None):
        self.maxlen = maxlen
        list.extend(self, iterable)
        self._trim()

    def _trim(self):
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[:len(self) - self.maxlen]

    def __repr__(self):
        return 'deque([%s])' % ', '.join([repr(i) for i in self])

    def append(self, x):
        list.append(self, x)
        self._trim()

    def extend(self, items):
        list.extend(self, items)
        self._trim()

    def appendleft(self, x):
        self.insert(0, x)
        if self.maxlen is not None and len(self) > self.maxlen:
            del self[self.maxlen:]

    def extendleft(self, items):
        for x in items:
            self.appendleft(x)

    def popleft(self):
        return self.pop(0)

    def rotate(self, n=1):
        if self:
            n %= len(self)
            self[:] = self[len(self) - n:] + self[:len(self) - n]

def namedtuple(typename, field_names, **kw):
    if isinstance(field_names, str):
        field_names = field_names.replace(',', ' ').split()
    names = tuple(field_names)

    class Tuple(tuple):
        _fields = names

        @classmethod
        def __new_base__(cls, *args, **kw):
            values = list(args)
            for n in names[len(args):]:
                if n not in kw:
                    raise TypeError('%s is missing' % n)
                values.append(kw.pop(n))
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
            return Tuple(*[kw.get(n, v) for n, v in zip(names, self)])
    Tuple.__name__ = typename
    return Tuple
