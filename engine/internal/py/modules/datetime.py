# SPDX-License-Identifier: Apache-2.0

MINYEAR, MAXYEAR = 1, 9999
_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
_DAY = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
_MONTH = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

def _leap(y):
    return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)

def _length(y, m):
    return 29 if m == 2 and _leap(y) else _MONTHS[m - 1]

def _before(y):
    y -= 1
    return y * 365 + y // 4 - y // 100 + y // 400

def _ordinal(y, m, d):
    return _before(y) + sum([_length(y, i) for i in range(1, m)]) + d

class timedelta(object):
    def __init__(self, days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0):
        micro = microseconds + milliseconds * 1000 + (seconds + minutes * 60 + hours * 3600 + (days + weeks * 7) * 86400) * 1000000
        self._micro = int(micro)
        self.microseconds = self._micro % 1000000
        self.seconds = self._micro // 1000000 % 86400
        self.days = self._micro // 86400000000

    def total_seconds(self):
        return self._micro / 1000000.0

    def __str__(self):
        out = '%d:%02d:%02d' % (self.seconds // 3600, self.seconds // 60 % 60, self.seconds % 60)
        if self.microseconds:
            out += '.%06d' % self.microseconds
        if self.days:
            out = '%d day%s, %s' % (self.days, '' if abs(self.days) == 1 else 's', out)
        return out

    def __cmp__(self, other):
        return cmp(self._micro, other._micro)

    def __neg__(self):
        return timedelta(microseconds=-self._micro)

    def __add__(self, other):
        if isinstance(other, date):
            return other + self
        return timedelta(microseconds=self._micro + other._micro)

    def __sub__(self, other):
        return timedelta(microseconds=self._micro - other._micro)

    def __mul__(self, n):
        return timedelta(microseconds=self._micro * n)

    def __div__(self, n):
        if isinstance(n, timedelta):
            return self._micro // n._micro
        return timedelta(microseconds=self._micro // n)

    def __floordiv__(self, n):
        return self.__div__(n)

def _format(x, fmt):
    out, i = '', 0
    o = x.toordinal()
    hour, minute, second, micro = getattr(x, 'hour', 0), getattr(x, 'minute', 0), getattr(x, 'second', 0), getattr(x, 'microsecond', 0)
    yday = o - _ordinal(x.year, 1, 1) + 1
    known = {
        'Y': '%04d' % x.year, 'y': '%02d' % (x.year % 100), 'm': '%02d' % x.month, 'd': '%02d' % x.day, 'e': '%2d' % x.day,
        'H': '%02d' % hour, 'I': '%02d' % ((hour + 11) % 12 + 1), 'M': '%02d' % minute, 'S': '%02d' % second, 'f': '%06d' % micro,
        'p': 'AM' if hour < 12 else 'PM', 'j': '%03d' % yday, 'a': _DAY[x.weekday()][:3], 'A': _DAY[x.weekday()],
        'b': _MONTH[x.month - 1][:3], 'B': _MONTH[x.month - 1], 'w': str((x.weekday() + 1) % 7), 'u': str(x.weekday() + 1), '%': '%',
        'F': '%04d-%02d-%02d' % (x.year, x.month, x.day), 'T': '%02d:%02d:%02d' % (hour, minute, second), 'z': '', 'Z': '',
        'U': '%02d' % ((yday + 6 - (x.weekday() + 1) % 7) // 7), 'W': '%02d' % ((yday + 6 - x.weekday()) // 7),
    }
    while i < len(fmt):
        if fmt[i] == '%' and i + 1 < len(fmt):
            out += known.get(fmt[i + 1], fmt[i:i + 2])
            i += 2
        else:
            out += fmt[i]
            i += 1
    return out

class date(object):
    def __init__(self, year, month, day):
        if not 1 <= month <= 12:
            raise ValueError('month must be in 1..12')
        if not 1 <= year <= 9999:
            raise ValueError('year is out of range')
        if not 1 <= day <= _length(year, month):
            raise ValueError('day is out of range for month')
        self.year, self.month, self.day = year, month, day

    @classmethod
    def fromordinal(cls, n):
        y = max(n // 366, 1)
        while _before(y + 1) < n:
            y += 1
        m = 1
        while _ordinal(y, m, _length(y, m)) < n:
            m += 1
        return cls(y, m, n - _ordinal(y, m, 1) + 1)

    @classmethod
    def today(cls):
        raise __refused__('the clock', 'a configuration must not depend on the clock; let a probe tell the time')

    def toordinal(self):
        return _ordinal(self.year, self.month, self.day)

    def weekday(self):
        return (self.toordinal() + 6) % 7

    def isoweekday(self):
        return self.weekday() + 1

    def isoformat(self):
        return '%04d-%02d-%02d' % (self.year, self.month, self.day)

    def strftime(self, fmt):
        return _format(self, fmt)

    def __format__(self, fmt):
        return self.strftime(fmt) if fmt else str(self)

    def replace(self, year=None, month=None, day=None):
        return date(year or self.year, month or self.month, day or self.day)

    def _key(self):
        return (self.year, self.month, self.day)

    def __str__(self):
        return self.isoformat()

    def __repr__(self):
        return 'datetime.date(%d, %d, %d)' % (self.year, self.month, self.day)

    def __eq__(self, other):
        return isinstance(other, date) and self._key() == other._key()

    def __cmp__(self, other):
        return cmp(self._key(), other._key())

    def __add__(self, delta):
        return date.fromordinal(self.toordinal() + delta.days)

    def __sub__(self, other):
        if isinstance(other, timedelta):
            return self + -other
        return timedelta(days=self.toordinal() - other.toordinal())

class time(object):
    def __init__(self, hour=0, minute=0, second=0, microsecond=0):
        self.hour, self.minute, self.second, self.microsecond = hour, minute, second, microsecond

    def isoformat(self):
        out = '%02d:%02d:%02d' % (self.hour, self.minute, self.second)
        return out + ('.%06d' % self.microsecond if self.microsecond else '')

    def __str__(self):
        return self.isoformat()

    def __cmp__(self, other):
        return cmp((self.hour, self.minute, self.second), (other.hour, other.minute, other.second))

class datetime(date):
    def __init__(self, year, month, day, hour=0, minute=0, second=0, microsecond=0, tzinfo=None):
        super(datetime, self).__init__(year, month, day)
        self.hour, self.minute, self.second, self.microsecond = hour, minute, second, microsecond

    @classmethod
    def now(cls, tz=None):
        raise __refused__('the clock', 'a configuration must not depend on the clock; let a probe tell the time')

    @classmethod
    def utcnow(cls):
        cls.now()

    @classmethod
    def _of(cls, micro):
        d = date.fromordinal(micro // 86400000000)
        s = micro // 1000000 % 86400
        return cls(d.year, d.month, d.day, s // 3600, s // 60 % 60, s % 60, micro % 1000000)

    @classmethod
    def utcfromtimestamp(cls, t):
        return cls._of(int(t * 1000000) + 719163 * 86400000000)

    @classmethod
    def fromtimestamp(cls, t, tz=None):
        return cls.utcfromtimestamp(t)

    @classmethod
    def combine(cls, d, t):
        return cls(d.year, d.month, d.day, t.hour, t.minute, t.second, t.microsecond)

    @classmethod
    def strptime(cls, text, fmt):
        values = {'Y': 1900, 'm': 1, 'd': 1, 'H': 0, 'M': 0, 'S': 0, 'f': 0}
        i = j = 0
        while i < len(fmt):
            if fmt[i] != '%':
                if text[j:j + 1] != fmt[i]:
                    raise ValueError('time data %r does not match format %r' % (text, fmt))
                i, j = i + 1, j + 1
                continue
            c = fmt[i + 1]
            if c in 'bB':
                for n, name in enumerate(_MONTH):
                    name = name if c == 'B' else name[:3]
                    if text[j:j + len(name)].lower() == name.lower():
                        values['m'] = n + 1
                        j += len(name)
                        break
                else:
                    raise ValueError('time data %r does not match format %r' % (text, fmt))
            else:
                k = j
                while k < len(text) and text[k].isdigit() and k - j < {'Y': 4, 'f': 6}.get(c, 2):
                    k += 1
                if k == j:
                    raise ValueError('time data %r does not match format %r' % (text, fmt))
                values[c] = int(text[j:k], 10)
                j = k
            i += 2
        if j < len(text):
            raise ValueError('unconverted data remains: %s' % text[j:])
        if 'y' in values:
            values['Y'] = values['y'] + (2000 if values['y'] < 69 else 1900)
        return cls(values['Y'], values['m'], values['d'], values['H'], values['M'], values['S'], values['f'])

    def date(self):
        return date(self.year, self.month, self.day)

    def time(self):
        return time(self.hour, self.minute, self.second, self.microsecond)

    def isoformat(self, sep='T'):
        return date.isoformat(self) + sep + self.time().isoformat()

    def _key(self):
        return (self.year, self.month, self.day, self.hour, self.minute, self.second, self.microsecond)

    def _micros(self):
        return self.toordinal() * 86400000000 + (self.hour * 3600 + self.minute * 60 + self.second) * 1000000 + self.microsecond

    def timestamp(self):
        return (self._micros() - 719163 * 86400000000) / 1000000.0

    def __str__(self):
        return self.isoformat(' ')

    def __repr__(self):
        return 'datetime.datetime(%s)' % ', '.join([str(i) for i in self._key()])

    def __add__(self, delta):
        return datetime._of(self._micros() + delta._micro)

    def __sub__(self, other):
        if isinstance(other, timedelta):
            return self + -other
        return timedelta(microseconds=self._micros() - other._micros())
