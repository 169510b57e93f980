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

add = lambda a, b: a + b
sub = lambda a, b: a - b
mul = lambda a, b: a * b
div = truediv = floordiv = lambda a, b: a // b
mod = lambda a, b: a % b
neg = lambda a: -a
lt = lambda a, b: a < b
le = lambda a, b: a <= b
eq = lambda a, b: a == b
ne = lambda a, b: a != b
gt = lambda a, b: a > b
ge = lambda a, b: a >= b
not_ = lambda a: not a
truth = lambda a: bool(a)
and_ = lambda a, b: a & b
or_ = lambda a, b: a | b
xor = lambda a, b: a ^ b
contains = lambda a, b: b in a
getitem = lambda a, b: a[b]
concat = add
