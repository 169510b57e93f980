# SPDX-License-Identifier: Apache-2.0

def itemgetter(*items):
    if len(items) == 1:
        return lambda x: x[items[0]]
    return lambda x: tuple([x[i] for i in items])

def attrgetter(*names):
    def one(x, name):
        for part in name.split('.'):
            x = getattr(x, part)
        return x
    if len(names) == 1:
        return lambda x: one(x, names[0])
    return lambda x: tuple([one(x, n) for n in names])

def methodcaller(name, *args, **kw):
    return lambda x: getattr(x, name)(*args, **kw)

add = concat = __add__ = __concat__ = lambda a, b: a + b
sub = __sub__ = lambda a, b: a - b
mul = __mul__ = lambda a, b: a * b
div = __div__ = lambda a, b: a / b
floordiv = __floordiv__ = lambda a, b: a // b
mod = __mod__ = lambda a, b: a % b
pow = __pow__ = lambda a, b: a ** b
lshift = __lshift__ = lambda a, b: a << b
rshift = __rshift__ = lambda a, b: a >> b
and_ = __and__ = lambda a, b: a & b
or_ = __or__ = lambda a, b: a | b
xor = __xor__ = lambda a, b: a ^ b
neg = __neg__ = lambda a: -a
pos = __pos__ = lambda a: +a
inv = invert = __inv__ = __invert__ = lambda a: ~a
lt = __lt__ = lambda a, b: a < b
le = __le__ = lambda a, b: a <= b
eq = __eq__ = lambda a, b: a == b
ne = __ne__ = lambda a, b: a != b
gt = __gt__ = lambda a, b: a > b
ge = __ge__ = lambda a, b: a >= b
not_ = __not__ = lambda a: not a
truth = lambda a: bool(a)
is_ = lambda a, b: a is b
is_not = lambda a, b: a is not b
contains = sequenceIncludes = __contains__ = lambda a, b: b in a
getitem = __getitem__ = lambda a, b: a[b]
_abs = abs

def truediv(a, b):
    return a / float(b) if isinstance(a, int) and isinstance(b, int) else a / b

def abs(a):
    return _abs(a)

def index(a):
    if not isinstance(a, int):
        raise TypeError('an integer is required')
    return int(a)

def setitem(a, b, c):
    a[b] = c

def delitem(a, b):
    del a[b]

def countOf(a, b):
    return len([x for x in a if x == b])

def indexOf(a, b):
    for i, x in enumerate(a):
        if x == b:
            return i
    raise ValueError('sequence.index(x): x not in sequence')

def iadd(a, b):
    a += b
    return a

iconcat = iadd

def isub(a, b):
    a -= b
    return a

def imul(a, b):
    a *= b
    return a

def ior(a, b):
    a |= b
    return a
