# SPDX-License-Identifier: Apache-2.0
import bisect as _bisect

def heapify(heap):
    heap.sort()

def heappush(heap, item):
    _bisect.insort(heap, item)

def heappop(heap):
    return heap.pop(0)

def heappushpop(heap, item):
    heappush(heap, item)
    return heappop(heap)

def heapreplace(heap, item):
    out = heappop(heap)
    heappush(heap, item)
    return out

def nsmallest(n, iterable, key=None):
    return sorted(iterable, key=key)[:max(n, 0)]

def nlargest(n, iterable, key=None):
    return sorted(iterable, key=key, reverse=True)[:max(n, 0)]

def merge(*iterables, **kw):
    out = []
    for i in iterables:
        out += list(i)
    return iter(sorted(out, key=kw.get('key'), reverse=kw.get('reverse', False)))
