# SPDX-License-Identifier: Apache-2.0

MINYEAR, MAXYEAR = 1, 9999
_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
_DAY = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
_MONTH = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
_DAYMICRO = 86400000000

def _leap(y):
    return y % 4 == 0 and (y % 100 != 0 or y % 400 == 0)

def _length(y, m):
    return 29 if m == 2 and _leap(y) else _MONTHS[m - 1]

def _before(y):
    y -= 1
    return y * 365 + y // 4 - y // 100 + y // 400

def _ordinal(y, m, d):
    return _before(y) + sum([_length(y, i) for i in range(1, m)]) + d

def _checkday(year, month, day):
    if not 1 <= year <= 9999:
        raise ValueError('year is out of range')
    if not 1 <= month <= 12:
        raise ValueError('month must be in 1..12')
    if not 1 <= day <= _length(year, month):
        raise ValueError('day is out of range for month')

def _checktime(hour, minute, second, micro):
    for what, x, most in (('hour', hour, 23), ('minute', minute, 59), ('second', second, 59), ('microsecond', micro, 999999)):
        if not 0 <= x <= most:
            raise ValueError('%s must be in 0..%d' % (what, most))

def _clock():
    __refused__('the clock', 'a configuration must not depend on the clock; let a probe tell the time')

class _Ordered(object):
    def _compare(self, other, op):
        if not isinstance(other, _Ordered) or self._like(other) is None:
            return NotImplemented
        a, b = self._order(), other._order()
        return {'<': a < b, '<=': a <= b, '>': a > b, '>=': a >= b}[op]

    def _like(self, other):
        return True if self._family == other._family else None

    def __lt__(self, other):
        return self._compare(other, '<')

    def __le__(self, other):
        return self._compare(other, '<=')

    def __gt__(self, other):
        return self._compare(other, '>')

    def __ge__(self, other):
        return self._compare(other, '>=')

    def __eq__(self, other):
        return isinstance(other, _Ordered) and self._family == other._family and self._order() == other._order()

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self._order())

class timedelta(_Ordered):
    _family = 'timedelta'

    def __init__(self, days=0, seconds=0, microseconds=0, milliseconds=0, minutes=0, hours=0, weeks=0):
        micro = microseconds + milliseconds * 1000 + (seconds + minutes * 60 + hours * 3600 + (days + weeks * 7) * 86400) * 1000000
        self._micro = int(round(micro)) if isinstance(micro, float) else micro
        self.microseconds = self._micro % 1000000
        self.seconds = self._micro // 1000000 % 86400
        self.days = self._micro // _DAYMICRO
        if abs(self.days) > 999999999:
            raise OverflowError('days=%d; must have magnitude <= 999999999' % self.days)

    def _order(self):
        return self._micro

    def total_seconds(self):
        return self._micro / 1000000.0

    def __repr__(self):
        parts = ['%s=%d' % (n, getattr(self, n)) for n in ('days', 'seconds', 'microseconds') if getattr(self, n)]
        return 'datetime.timedelta(%s)' % (', '.join(parts) or '0')

    def __str__(self):
        out = '%d:%02d:%02d' % (self.seconds // 3600, self.seconds // 60 % 60, self.seconds % 60)
        if self.microseconds:
            out += '.%06d' % self.microseconds
        if self.days:
            out = '%d day%s, %s' % (self.days, '' if abs(self.days) == 1 else 's', out)
        return out

    def __nonzero__(self):
        return self._micro != 0

    def __neg__(self):
        return timedelta(microseconds=-self._micro)

    def __pos__(self):
        return self

    def __abs__(self):
        return timedelta(microseconds=abs(self._micro))

    def __add__(self, other):
        if isinstance(other, date):
            return other + self
        if not isinstance(other, timedelta):
            return NotImplemented
        return timedelta(microseconds=self._micro + other._micro)

    def __sub__(self, other):
        if not isinstance(other, timedelta):
            return NotImplemented
        return timedelta(microseconds=self._micro - other._micro)

    def __mul__(self, n):
        return timedelta(microseconds=self._micro * n)

    __rmul__ = __mul__

    def __floordiv__(self, n):
        if isinstance(n, timedelta):
            return self._micro // n._micro
        return timedelta(microseconds=self._micro // n)

    def __div__(self, n):
        if isinstance(n, timedelta):
            return self._micro / float(n._micro)
        if isinstance(n, float):
            return timedelta(microseconds=self._micro / n)
        return self // n

    def __mod__(self, other):
        return timedelta(microseconds=self._micro % other._micro)

    def __divmod__(self, other):
        return self // other, self % other

timedelta.max = timedelta(days=999999999, hours=23, minutes=59, seconds=59, microseconds=999999)
timedelta.min = timedelta(days=-999999999)
timedelta.resolution = timedelta(microseconds=1)

class tzinfo(object):
    pass

class timezone(tzinfo):
    def __init__(self, offset, name=None):
        if not timedelta(hours=-24) < offset < timedelta(hours=24):
            raise ValueError('offset must be strictly between -24 and 24 hours')
        self._offset, self._name = offset, name

    def utcoffset(self, x):
        return self._offset

    def dst(self, x):
        return None

    def tzname(self, x):
        if self._name:
            return self._name
        return 'UTC' + (_signed(self._offset, ':') if self._offset else '')

    def __eq__(self, other):
        return isinstance(other, timezone) and self._offset == other._offset

    def __hash__(self):
        return hash(self._offset)

    def __str__(self):
        return self.tzname(None)

    def __repr__(self):
        if self is timezone.utc:
            return 'datetime.timezone.utc'
        return 'datetime.timezone(%r%s)' % (self._offset, ', %r' % self._name if self._name else '')

timezone.utc = timezone(timedelta(0))
UTC = timezone.utc

def _signed(offset, sep):
    m = abs(offset._micro) // 60000000
    return '%s%02d%s%02d' % ('-' if offset._micro < 0 else '+', m // 60, sep, m % 60)

def _offset(x, sep):
    o = None if getattr(x, 'tzinfo', None) is None else x.tzinfo.utcoffset(x)
    return '' if o is None else _signed(o, sep)

def _format(x, fmt):
    o = x.toordinal()
    hour, minute, second, micro = getattr(x, 'hour', 0), getattr(x, 'minute', 0), getattr(x, 'second', 0), getattr(x, 'microsecond', 0)
    yday = o - _ordinal(x.year, 1, 1) + 1
    week = x.isocalendar()
    known = {
        'Y': '%d' % x.year, 'y': '%02d' % (x.year % 100), 'm': '%02d' % x.month, 'd': '%02d' % x.day, 'e': '%2d' % x.day,
        'H': '%02d' % hour, 'I': '%02d' % ((hour + 11) % 12 + 1), 'M': '%02d' % minute, 'S': '%02d' % second, 'f': '%06d' % micro,
        'p': 'AM' if hour < 12 else 'PM', 'j': '%03d' % yday, 'a': _DAY[x.weekday()][:3], 'A': _DAY[x.weekday()],
        'b': _MONTH[x.month - 1][:3], 'B': _MONTH[x.month - 1], 'w': str((x.weekday() + 1) % 7), 'u': str(x.weekday() + 1), '%': '%',
        'U': '%02d' % ((yday + 6 - (x.weekday() + 1) % 7) // 7), 'W': '%02d' % ((yday + 6 - x.weekday()) // 7),
        'z': _offset(x, ''), 'Z': '' if getattr(x, 'tzinfo', None) is None else x.tzinfo.tzname(x),
        'G': '%04d' % week[0], 'V': '%02d' % week[1], 'n': '\n', 't': '\t', 'C': '%02d' % (x.year // 100), 'k': '%2d' % hour, 'l': '%2d' % ((hour + 11) % 12 + 1),
    }
    known['h'], known['F'], known['T'] = known['b'], '%(Y)s-%(m)s-%(d)s' % known, '%(H)s:%(M)s:%(S)s' % known
    known['D'] = known['x'] = '%(m)s/%(d)s/%(y)s' % known
    known['R'], known['X'] = '%(H)s:%(M)s' % known, known['T']
    known['r'], known['c'] = '%(I)s:%(M)s:%(S)s %(p)s' % known, '%(a)s %(b)s %(e)s %(T)s %(Y)s' % known
    if 's' in fmt and '%s' in fmt:
        known['s'] = '%d' % x.timestamp()
    out, i = [], 0
    while i < len(fmt):
        if fmt[i] == '%' and i + 1 < len(fmt):
            out.append(known.get(fmt[i + 1], fmt[i:i + 2]))
            i += 2
        else:
            out.append(fmt[i])
            i += 1
    return ''.join(out)

class struct_time(tuple):
    tm_year, tm_mon, tm_mday = property(lambda s: s[0]), property(lambda s: s[1]), property(lambda s: s[2])
    tm_hour, tm_min, tm_sec = property(lambda s: s[3]), property(lambda s: s[4]), property(lambda s: s[5])
    tm_wday, tm_yday, tm_isdst = property(lambda s: s[6]), property(lambda s: s[7]), property(lambda s: s[8])

def _number(text, lo, hi):
    part = text[lo:hi]
    if len(part) != hi - lo or not part.isdigit():
        raise ValueError('Invalid isoformat string: %r' % text)
    return int(part, 10)

class date(_Ordered):
    _family = 'date'

    def __init__(self, year, month, day):
        _checkday(year, month, day)
        self.year, self.month, self.day = year, month, day

    @classmethod
    def fromordinal(cls, n):
        if not 1 <= n <= 3652059:
            raise OverflowError('date value out of range')
        y = max(n // 366, 1)
        while _before(y + 1) < n:
            y += 1
        m = 1
        while _ordinal(y, m, _length(y, m)) < n:
            m += 1
        return cls(y, m, n - _ordinal(y, m, 1) + 1)

    @classmethod
    def fromisoformat(cls, text):
        if len(text) != 10 or text[4] != '-' or text[7] != '-':
            raise ValueError('Invalid isoformat string: %r' % text)
        return cls(_number(text, 0, 4), _number(text, 5, 7), _number(text, 8, 10))

    @classmethod
    def fromtimestamp(cls, t):
        return cls.fromordinal(int(t // 86400) + 719163)

    @classmethod
    def today(cls):
        _clock()

    def toordinal(self):
        return _ordinal(self.year, self.month, self.day)

    def weekday(self):
        return (self.toordinal() + 6) % 7

    def isoweekday(self):
        return self.weekday() + 1

    def isocalendar(self):
        thursday = date.fromordinal(min(self.toordinal() - self.weekday() + 3, 3652059))
        return thursday.year, (thursday.toordinal() - _ordinal(thursday.year, 1, 1)) // 7 + 1, self.isoweekday()

    def isoformat(self):
        return '%04d-%02d-%02d' % (self.year, self.month, self.day)

    def strftime(self, fmt):
        return _format(self, fmt)

    def __format__(self, fmt):
        return self.strftime(fmt) if fmt else str(self)

    def ctime(self):
        return self.strftime('%a %b %e %H:%M:%S %Y')

    def timetuple(self):
        return struct_time((self.year, self.month, self.day, 0, 0, 0, self.weekday(), self.toordinal() - _ordinal(self.year, 1, 1) + 1, -1))

    def replace(self, year=None, month=None, day=None):
        return date(self.year if year is None else year, self.month if month is None else month, self.day if day is None else day)

    def _order(self):
        return (self.year, self.month, self.day)

    def __str__(self):
        return self.isoformat()

    def __repr__(self):
        return 'datetime.date(%d, %d, %d)' % (self.year, self.month, self.day)

    def __add__(self, delta):
        if not isinstance(delta, timedelta):
            return NotImplemented
        return date.fromordinal(self.toordinal() + delta.days)

    __radd__ = __add__

    def __sub__(self, other):
        if isinstance(other, timedelta):
            return date.fromordinal(self.toordinal() - other.days)
        if not isinstance(other, date):
            return NotImplemented
        return timedelta(days=self.toordinal() - other.toordinal())

date.min, date.max, date.resolution = date(1, 1, 1), date(9999, 12, 31), timedelta(1)

class time(_Ordered):
    _family = 'time'

    def __init__(self, hour=0, minute=0, second=0, microsecond=0, tzinfo=None):
        _checktime(hour, minute, second, microsecond)
        self.hour, self.minute, self.second, self.microsecond, self.tzinfo = hour, minute, second, microsecond, tzinfo

    @classmethod
    def fromisoformat(cls, text):
        d = datetime.fromisoformat('0001-01-01T' + text)
        return d.timetz()

    def isoformat(self, timespec='auto'):
        out = '%02d:%02d:%02d' % (self.hour, self.minute, self.second)
        if timespec == 'minutes':
            out = out[:5]
        elif timespec == 'milliseconds':
            out += '.%03d' % (self.microsecond // 1000)
        elif self.microsecond and timespec == 'auto' or timespec == 'microseconds':
            out += '.%06d' % self.microsecond
        return out + _offset(self, ':')

    def strftime(self, fmt):
        return _format(datetime(1900, 1, 1, self.hour, self.minute, self.second, self.microsecond, self.tzinfo), fmt)

    def __format__(self, fmt):
        return self.strftime(fmt) if fmt else str(self)

    def replace(self, **kw):
        return time(**dict([(n, kw.get(n, getattr(self, n))) for n in ('hour', 'minute', 'second', 'microsecond', 'tzinfo')]))

    def _order(self):
        return (self.hour, self.minute, self.second, self.microsecond)

    def __str__(self):
        return self.isoformat()

    def __repr__(self):
        parts = ['%d' % self.hour, '%d' % self.minute]
        if self.second or self.microsecond:
            parts.append('%d' % self.second)
        if self.microsecond:
            parts.append('%d' % self.microsecond)
        return 'datetime.time(%s)' % ', '.join(parts)

time.min, time.max = time(0), time(23, 59, 59, 999999)

class datetime(date):
    def __init__(self, year, month, day, hour=0, minute=0, second=0, microsecond=0, tzinfo=None):
        _checkday(year, month, day)
        _checktime(hour, minute, second, microsecond)
        self.year, self.month, self.day = year, month, day
        self.hour, self.minute, self.second, self.microsecond, self.tzinfo = hour, minute, second, microsecond, tzinfo

    @classmethod
    def now(cls, tz=None):
        _clock()

    @classmethod
    def today(cls):
        _clock()

    @classmethod
    def utcnow(cls):
        _clock()

    @classmethod
    def _of(cls, micro, tz=None):
        d = date.fromordinal(micro // _DAYMICRO)
        s = micro // 1000000 % 86400
        return cls(d.year, d.month, d.day, s // 3600, s // 60 % 60, s % 60, micro % 1000000, tz)

    @classmethod
    def utcfromtimestamp(cls, t):
        return cls._of(int(round(t * 1000000)) + 719163 * _DAYMICRO)

    @classmethod
    def fromtimestamp(cls, t, tz=None):
        out = cls.utcfromtimestamp(t)
        return out if tz is None else out.replace(tzinfo=timezone.utc).astimezone(tz)

    @classmethod
    def combine(cls, d, t, tzinfo=None):
        return cls(d.year, d.month, d.day, t.hour, t.minute, t.second, t.microsecond, tzinfo or t.tzinfo)

    @classmethod
    def fromordinal(cls, n):
        d = date.fromordinal(n)
        return cls(d.year, d.month, d.day)

    @classmethod
    def fromisoformat(cls, text):
        day, clock = date.fromisoformat(text[:10]), text[11:]
        if len(text) == 11:
            raise ValueError('Invalid isoformat string: %r' % text)
        tz = None
        if clock.endswith('Z'):
            clock, tz = clock[:-1], timezone.utc
        for sign in '+-':
            if sign in clock:
                clock, _, zone = clock.partition(sign)
                m = _number(zone, 0, 2) * 60 + _number(zone.replace(':', ''), 2, 4)
                tz = timezone(timedelta(minutes=-m if sign == '-' else m)) if m else timezone.utc
        clock, _, part = clock.partition('.')
        numbers = [_number(p, 0, max(len(p), 2)) for p in clock.split(':')] if clock else []
        if len(numbers) > 3 or max(numbers or [0]) > 99 or part and len(part) not in (3, 6):
            raise ValueError('Invalid isoformat string: %r' % text)
        numbers += [0] * (3 - len(numbers))
        return cls(day.year, day.month, day.day, numbers[0], numbers[1], numbers[2], int((part or '0').ljust(6, '0'), 10), tz)

    @classmethod
    def strptime(cls, text, fmt):
        return _parsed(cls, text, fmt)

    def date(self):
        return date(self.year, self.month, self.day)

    def time(self):
        return time(self.hour, self.minute, self.second, self.microsecond)

    def timetz(self):
        return time(self.hour, self.minute, self.second, self.microsecond, self.tzinfo)

    def timetuple(self):
        d = date.timetuple(self)
        return struct_time(d[:3] + (self.hour, self.minute, self.second) + d[6:])

    def utctimetuple(self):
        return (self if self.tzinfo is None else self.astimezone(timezone.utc)).timetuple()

    def isoformat(self, sep='T', timespec='auto'):
        return date.isoformat(self) + sep + self.timetz().isoformat(timespec)

    def utcoffset(self):
        return None if self.tzinfo is None else self.tzinfo.utcoffset(self)

    def tzname(self):
        return None if self.tzinfo is None else self.tzinfo.tzname(self)

    def astimezone(self, tz=None):
        if tz is None or self.tzinfo is None:
            __refused__('the time zone of the machine', 'give the time zone')
        at = self._micros() - self.utcoffset()._micro
        offset = tz.utcoffset(datetime._of(at, tz))
        return datetime._of(at + offset._micro, tz)

    def replace(self, **kw):
        names = ('year', 'month', 'day', 'hour', 'minute', 'second', 'microsecond', 'tzinfo')
        return datetime(**dict([(n, kw.get(n, getattr(self, n))) for n in names]))

    def _like(self, other):
        return True if isinstance(other, datetime) else None

    def _order(self):
        return self._micros() - (0 if self.tzinfo is None else self.utcoffset()._micro)

    def _micros(self):
        return self.toordinal() * _DAYMICRO + (self.hour * 3600 + self.minute * 60 + self.second) * 1000000 + self.microsecond

    def timestamp(self):
        return (self._order() - 719163 * _DAYMICRO) / 1000000.0

    def __eq__(self, other):
        return isinstance(other, datetime) and self._order() == other._order()

    def __str__(self):
        return self.isoformat(' ')

    def __repr__(self):
        parts = [self.year, self.month, self.day, self.hour, self.minute]
        if self.second or self.microsecond:
            parts.append(self.second)
        if self.microsecond:
            parts.append(self.microsecond)
        tail = '' if self.tzinfo is None else ', tzinfo=%r' % self.tzinfo
        return 'datetime.datetime(%s%s)' % (', '.join([str(i) for i in parts]), tail)

    def __add__(self, delta):
        if not isinstance(delta, timedelta):
            return NotImplemented
        return datetime._of(self._micros() + delta._micro, self.tzinfo)

    __radd__ = __add__

    def __sub__(self, other):
        if isinstance(other, timedelta):
            return datetime._of(self._micros() - other._micro, self.tzinfo)
        if not isinstance(other, datetime):
            return NotImplemented
        return timedelta(microseconds=self._order() - other._order())

datetime.min, datetime.max = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)

_LONG = {'F': '%Y-%m-%d', 'T': '%H:%M:%S', 'R': '%H:%M', 'D': '%m/%d/%y', 'c': '%a %b %d %H:%M:%S %Y', 'x': '%m/%d/%y', 'X': '%H:%M:%S', 'r': '%I:%M:%S %p'}

def _parsed(cls, text, fmt):
    bad = ValueError('time data %r does not match format %r' % (text, fmt))
    for k, v in _LONG.items():
        fmt = fmt.replace('%' + k, v)
    got, j, i = {}, 0, 0
    while i < len(fmt):
        c = fmt[i]
        i += 1
        if c.isspace():
            while j < len(text) and text[j].isspace():
                j += 1
            continue
        if c != '%':
            if text[j:j + 1].lower() != c.lower():
                raise bad
            j += 1
            continue
        c = fmt[i:i + 1]
        i += 1
        if c in ('a', 'A', 'b', 'B', 'p'):
            names = {'a': [n[:3] for n in _DAY], 'A': _DAY, 'b': [n[:3] for n in _MONTH], 'B': _MONTH, 'p': ['AM', 'PM']}[c]
            found = [n for n in names if text[j:j + len(n)].lower() == n.lower()]
            if not found:
                raise bad
            got[c.lower()] = names.index(found[0])
            j += len(found[0])
        elif c == 'z':
            if text[j:j + 1] == 'Z':
                got['z'], j = timezone.utc, j + 1
                continue
            zone = text[j + 1:j + 6].replace(':', '')[:4]
            if text[j:j + 1] not in ('+', '-') or len(zone) != 4 or not zone.isdigit():
                raise bad
            m = int(zone[:2], 10) * 60 + int(zone[2:], 10)
            got['z'] = timezone(timedelta(minutes=-m if text[j] == '-' else m)) if m else timezone.utc
            j += 6 if ':' in text[j:j + 6] else 5
        elif c == 'Z':
            if text[j:j + 3] not in ('UTC', 'GMT'):
                raise bad
            j += 3
        elif c == '%':
            if text[j:j + 1] != '%':
                raise bad
            j += 1
        elif c in 'YymdHIMSfjwUW' and c:
            k = j
            while k < len(text) and text[k].isdigit() and k - j < {'Y': 4, 'f': 6, 'j': 3, 'w': 1}.get(c, 2):
                k += 1
            if k == j or c == 'Y' and k - j < 4:
                raise bad
            got[c] = int(text[j:k].ljust(6, '0') if c == 'f' else text[j:k], 10)
            j = k
        else:
            raise ValueError('%r is a bad directive in format %r' % (c, fmt))
    if j < len(text):
        raise ValueError('unconverted data remains: %s' % text[j:])
    year = got.get('Y', 1900)
    if 'y' in got:
        year = got['y'] + (2000 if got['y'] < 69 else 1900)
    hour = got.get('H', 0)
    if 'I' in got:
        if not 1 <= got['I'] <= 12:
            raise bad
        hour = got['I'] % 12 + (12 if got.get('p') else 0)
    month, day = got.get('m', got.get('b', 0) + 1), got.get('d', 1)
    if 'j' in got and 'd' not in got:
        d = date.fromordinal(_ordinal(year, 1, 1) + got['j'] - 1)
        month, day = d.month, d.day
    return cls(year, month, day, hour, got.get('M', 0), got.get('S', 0), got.get('f', 0), got.get('z'))
