# SPDX-License-Identifier: Apache-2.0

def count(start=0, step=1):
    while True:
        yield start
        start += step

def cycle(iterable):
    items = list(iterable)
    while items:
        for item in items:
            yield item

def repeat(x, times=None):
    while times is None or times > 0:
        yield x
        if times is not None:
            times -= 1

class chain(object):
    def __init__(self, *iterables):
        self._it = self._all(iterables)

    def _all(self, iterables):
        for i in iterables:
            for x in i:
                yield x

    def __iter__(self):
        return self._it

    def next(self):
        return next(self._it)

    @classmethod
    def from_iterable(cls, iterables):
        out = cls()
        out._it = out._all(iterables)
        return out

def compress(data, selectors):
    return iter([d for d, s in zip(data, selectors) if s])

def dropwhile(predicate, iterable):
    dropping = True
    for x in iterable:
        if dropping and predicate(x):
            continue
        dropping = False
        yield x

def takewhile(predicate, iterable):
    for x in iterable:
        if not predicate(x):
            break
        yield x

def groupby(iterable, key=None):
    out, last = [], None
    for x in iterable:
        k = x if key is None else key(x)
        if not out or k != last:
            out.append((k, []))
            last = k
        out[-1][1].append(x)
    for k, items in out:
        yield k, iter(items)

def ifilter(predicate, iterable):
    for x in iterable:
        if (predicate or bool)(x):
            yield x

def filterfalse(predicate, iterable):
    for x in iterable:
        if not (predicate or bool)(x):
            yield x

ifilterfalse = filterfalse

def imap(fn, *iterables):
    for args in zip(*iterables):
        yield fn(*args)

def izip(*iterables):
    return iter(zip(*iterables))

def starmap(fn, iterable):
    for args in iterable:
        yield fn(*args)

def islice(iterable, *args):
    start, stop, step = 0, None, 1
    if len(args) == 1:
        stop = args[0]
    else:
        start, stop = args[0] or 0, args[1]
        if len(args) > 2:
            step = args[2] or 1
    i = 0
    if stop is not None and stop <= start:
        return
    for x in iterable:
        if i >= start and (i - start) % step == 0:
            yield x
        i += 1
        if stop is not None and i >= stop:
            break

def tee(iterable, n=2):
    items = list(iterable)
    return tuple([iter(items) for _ in range(n)])

def izip_longest(*iterables, **kw):
    fill = kw.get('fillvalue')
    lists = [list(i) for i in iterables]
    for i in range(max([len(l) for l in lists] or [0])):
        yield tuple([l[i] if i < len(l) else fill for l in lists])

zip_longest = izip_longest

def product(*iterables, **kw):
    pools = [list(i) for i in iterables] * kw.get('repeat', 1)
    out = [()]
    for pool in pools:
        out = [x + (y,) for x in out for y in pool]
    return iter(out)

def permutations(iterable, r=None):
    pool = list(iterable)
    n = len(pool)
    r = n if r is None else r
    if r > n:
        return
    def rest(chosen, left):
        if len(chosen) == r:
            yield tuple(chosen)
            return
        for i in range(len(left)):
            for out in rest(chosen + [left[i]], left[:i] + left[i + 1:]):
                yield out
    for out in rest([], pool):
        yield out

def _chosen(iterable, r, again):
    pool = list(iterable)
    n = len(pool)
    if r and (not n or r > n and not again):
        return
    at = [0] * r if again else list(range(r))
    while True:
        yield tuple([pool[i] for i in at])
        for i in reversed(range(r)):
            if at[i] != (n - 1 if again else i + n - r):
                break
        else:
            return
        at[i] += 1
        for j in range(i + 1, r):
            at[j] = at[i] if again else at[j - 1] + 1

def combinations(iterable, r):
    return _chosen(iterable, r, False)

def combinations_with_replacement(iterable, r):
    return _chosen(iterable, r, True)

def accumulate(iterable, func=None, initial=None):
    total, first = initial, initial is None
    if not first:
        yield total
    for x in iterable:
        if first:
            total, first = x, False
        else:
            total = func(total, x) if func else total + x
        yield total

def pairwise(iterable):
    last, first = None, True
    for x in iterable:
        if not first:
            yield last, x
        last, first = x, False

def batched(iterable, n):
    batch = []
    for x in iterable:
        batch.append(x)
        if len(batch) == n:
            yield tuple(batch)
            batch = []
    if batch:
        yield tuple(batch)
