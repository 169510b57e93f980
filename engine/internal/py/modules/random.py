# SPDX-License-Identifier: Apache-2.0

class Random(object):
    def __init__(self, x=None):
        self._it = __generator__()
        if x is not None:
            self.seed(x)

    def seed(self, x=None, version=2):
        self._it = __generator__(x)

    def random(self):
        return next(self._it)

    def randrange(self, start, stop=None, step=1):
        start = int(start)
        if stop is None:
            start, stop = 0, start
        width = int(stop) - start
        if step == 1 and width > 0:
            return start + int(self.random() * width)
        n = (width + step - 1) // step if step > 0 else (width + step + 1) // step
        if n <= 0:
            raise ValueError('empty range for randrange()')
        return start + step * int(self.random() * n)

    def randint(self, a, b):
        return self.randrange(a, b + 1)

    def choice(self, seq):
        return seq[int(self.random() * len(seq))]

    def shuffle(self, x, random=None):
        for i in reversed(range(1, len(x))):
            j = int((random or self.random)() * (i + 1))
            x[i], x[j] = x[j], x[i]

    def sample(self, population, k):
        n = len(population)
        if not 0 <= k <= n:
            raise ValueError('sample larger than population')
        size = 21
        if k > 5:
            power = 1
            while power < k * 3:
                power *= 4
            size += power
        if n <= size:
            pool, out = list(population), []
            for i in range(k):
                j = int(self.random() * (n - i))
                out.append(pool[j])
                pool[j] = pool[n - i - 1]
            return out
        pool, chosen, out = list(population), set(), []
        for i in range(k):
            j = int(self.random() * n)
            while j in chosen:
                j = int(self.random() * n)
            chosen.add(j)
            out.append(pool[j])
        return out

    def uniform(self, a, b):
        return a + (b - a) * self.random()

SystemRandom = Random
_inst = Random()


seed = _inst.seed
random = _inst.random
randrange = _inst.randrange
randint = _inst.randint
choice = _inst.choice
shuffle = _inst.shuffle
sample = _inst.sample
uniform = _inst.uniform
