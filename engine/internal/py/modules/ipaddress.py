# SPDX-License-Identifier: Apache-2.0

class AddressValueError(ValueError):
    pass

class NetmaskValueError(ValueError):
    pass

def _parse4(s):
    parts = s.split('.')
    if len(parts) != 4:
        raise AddressValueError('Expected 4 octets in %r' % s)
    n = 0
    for p in parts:
        if not p.isdigit() or len(p) > 3 or int(p, 10) > 255 or p != '0' and p[0] == '0':
            raise AddressValueError('Octet %r not permitted in %r' % (p, s))
        n = n * 256 + int(p, 10)
    return n

def _parse6(s):
    if s.count('::') > 1 or ':::' in s:
        raise AddressValueError("At most one '::' permitted in %r" % s)
    if '.' in s:
        head, _, tail = s.rpartition(':')
        n = _parse4(tail)
        s = '%s:%x:%x' % (head, n >> 16, n & 0xffff)
    left, double, right = s.partition('::')
    a = left.split(':') if left else []
    b = right.split(':') if right else []
    missing = 8 - len(a) - len(b)
    if double and missing < 1 or not double and missing:
        raise AddressValueError('Exactly 8 parts expected in %r' % s)
    n = 0
    for p in a + ['0'] * missing + b:
        if not p or len(p) > 4 or p.strip('0123456789abcdefABCDEF'):
            raise AddressValueError('Only hex digits permitted in %r in %r' % (p, s))
        n = n * 65536 + int(p, 16)
    return n

def _text(n, version):
    if version == 4:
        return '.'.join([str(n >> s & 255) for s in (24, 16, 8, 0)])
    words = ['%x' % (n >> s & 0xffff) for s in range(112, -1, -16)]
    best, at, i = 1, -1, 0
    while i < 8:
        j = i
        while j < 8 and words[j] == '0':
            j += 1
        if j - i > best:
            best, at = j - i, i
        i = max(j, i + 1)
    if at < 0:
        return ':'.join(words)
    return ':'.join(words[:at]) + '::' + ':'.join(words[at + best:])

class _Base(object):
    def __repr__(self):
        return "IPv%d%s('%s')" % (self.version, self._kind, self)

    def __ne__(self, other):
        return not self == other

class _Address(_Base):
    _kind = 'Address'

    def __init__(self, address):
        if isinstance(address, int):
            if isinstance(address, bool) or address < 0 or address >> self.max_prefixlen:
                raise AddressValueError('%d is not permitted as an IPv%d address' % (address, self.version))
            self._n = address
        else:
            self._n = (_parse4 if self.version == 4 else _parse6)(str(address))

    def __str__(self):
        return _text(self._n, self.version)

    def __int__(self):
        return self._n

    def __cmp__(self, other):
        return cmp((self.version, self._n), (other.version, other._n))

    def __eq__(self, other):
        return isinstance(other, _Address) and (self.version, self._n) == (other.version, other._n)

    def __hash__(self):
        return hash((self.version, self._n))

    def __index__(self):
        return self._n

    def __add__(self, n):
        return self.__class__(self._n + n)

    def __sub__(self, n):
        if isinstance(n, _Address):
            return self._n - n._n
        return self.__class__(self._n - n)

    @property
    def exploded(self):
        if self.version == 4:
            return str(self)
        return ':'.join(['%04x' % (self._n >> s & 0xffff) for s in range(112, -1, -16)])

    @property
    def compressed(self):
        return str(self)

    @property
    def packed(self):
        return ''.join([chr(self._n >> s & 255) for s in range(self.max_prefixlen - 8, -1, -8)])

    @property
    def reverse_pointer(self):
        if self.version == 4:
            return '.'.join(reversed(str(self).split('.'))) + '.in-addr.arpa'
        return '.'.join(reversed(self.exploded.replace(':', ''))) + '.ip6.arpa'

    def _within(self, nets):
        return any([self in ip_network(n) for n in nets])

    @property
    def is_private(self):
        if self.version == 4:
            return self._within(['0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/29', '192.0.0.170/31',
                                 '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4',
                                 '255.255.255.255/32'])
        return self._within(['::1/128', '::/128', '::ffff:0:0/96', '100::/64', '2001::/23', '2001:db8::/32', 'fc00::/7', 'fe80::/10'])

    @property
    def is_global(self):
        return not self.is_private and not self._within(['100.64.0.0/10'] if self.version == 4 else [])

    @property
    def is_site_local(self):
        return self.version == 6 and self._within(['fec0::/10'])

    @property
    def ipv4_mapped(self):
        return IPv4Address(self._n & 0xffffffff) if self.version == 6 and self._n >> 32 == 0xffff else None

    @property
    def sixtofour(self):
        return IPv4Address(self._n >> 80 & 0xffffffff) if self.version == 6 and self._n >> 112 == 0x2002 else None

    @property
    def is_loopback(self):
        return self._within(['127.0.0.0/8' if self.version == 4 else '::1/128'])

    @property
    def is_multicast(self):
        return self._within(['224.0.0.0/4' if self.version == 4 else 'ff00::/8'])

    @property
    def is_link_local(self):
        return self._within(['169.254.0.0/16' if self.version == 4 else 'fe80::/10'])

    @property
    def is_unspecified(self):
        return self._n == 0

    @property
    def is_reserved(self):
        return self._within(['240.0.0.0/4' if self.version == 4 else '::/8'])

class IPv4Address(_Address):
    version, max_prefixlen = 4, 32

class IPv6Address(_Address):
    version, max_prefixlen = 6, 128

def _prefix(mask, version, bits):
    if isinstance(mask, int):
        n = mask
    elif str(mask).isdigit():
        n = int(mask)
    elif version == 4:
        m = _parse4(str(mask))
        n = bin(m).count('1')
        if m != (1 << bits) - (1 << bits - n):
            m = m ^ 0xffffffff
            n = bin(m).count('1')
            if m != (1 << bits) - (1 << bits - n):
                raise NetmaskValueError('%r is not a valid netmask' % mask)
    else:
        raise NetmaskValueError('%r is not a valid netmask' % mask)
    if n > bits:
        raise NetmaskValueError('%r is not a valid netmask' % mask)
    return n

class _Network(_Base):
    _kind = 'Network'

    def __init__(self, address, strict=True):
        mask = self.max_prefixlen
        if isinstance(address, tuple):
            address, mask = address if len(address) > 1 else (address[0], mask)
        elif isinstance(address, str) and '/' in address:
            address, mask = address.split('/', 1)
        self.prefixlen = _prefix(mask, self.version, self.max_prefixlen)
        given = self._address(address)
        n = given._n & self._mask()
        if strict and n != given._n:
            raise ValueError('%s has host bits set' % self._with(given._n))
        self.network_address = self._address(n)
        self._given(given)

    def _given(self, address):
        pass

    def _mask(self):
        return (1 << self.max_prefixlen) - (1 << self.max_prefixlen - self.prefixlen)

    def _with(self, n):
        return '%s/%d' % (_text(n, self.version), self.prefixlen)

    def __str__(self):
        return self._with(self.network_address._n)

    def __eq__(self, other):
        return isinstance(other, _Network) and self.version == other.version and str(self) == str(other)

    def __cmp__(self, other):
        return cmp((self.version, self.network_address._n, self.prefixlen), (other.version, other.network_address._n, other.prefixlen))

    def __hash__(self):
        return hash((self.version, self.network_address._n, self.prefixlen))

    def compare_networks(self, other):
        if self.version != other.version:
            raise TypeError('%s and %s are not of the same type' % (self, other))
        return cmp(self, other)

    def address_exclude(self, other):
        if not other.subnet_of(self):
            raise ValueError('%s not contained in %s' % (other, self))
        net = self
        while net != other:
            a, b = net.subnets()
            net, rest = (a, b) if other in a else (b, a)
            yield rest

    @property
    def broadcast_address(self):
        return self._address(self.network_address._n | self.hostmask._n)

    @property
    def netmask(self):
        return self._address(self._mask())

    @property
    def hostmask(self):
        return self._address((1 << self.max_prefixlen - self.prefixlen) - 1)

    @property
    def num_addresses(self):
        return 1 << self.max_prefixlen - self.prefixlen

    @property
    def with_prefixlen(self):
        return str(self)

    @property
    def with_netmask(self):
        return '%s/%s' % (self.network_address, self.netmask)

    @property
    def with_hostmask(self):
        return '%s/%s' % (self.network_address, self.hostmask)

    @property
    def exploded(self):
        return str(self)

    @property
    def compressed(self):
        return str(self)

    @property
    def is_private(self):
        return self.network_address.is_private and self.broadcast_address.is_private

    @property
    def is_global(self):
        return self.network_address.is_global and self.broadcast_address.is_global

    def _both(name):
        return property(lambda self: getattr(self.network_address, name) and getattr(self.broadcast_address, name))

    is_loopback, is_multicast, is_link_local = _both('is_loopback'), _both('is_multicast'), _both('is_link_local')
    is_reserved, is_unspecified = _both('is_reserved'), _both('is_unspecified')

    @property
    def reverse_pointer(self):
        return self.network_address.reverse_pointer

    def __iter__(self):
        n = 0
        while n < self.num_addresses:
            yield self.network_address + n
            n += 1

    def __getitem__(self, i):
        if i < 0:
            i += self.num_addresses
        if i < 0 or i >= self.num_addresses:
            raise IndexError('address out of range')
        return self.network_address + i

    def __contains__(self, other):
        if other.version != self.version:
            return False
        if isinstance(other, _Network):
            return other.prefixlen >= self.prefixlen and other.network_address._n & self._mask() == self.network_address._n
        return other._n & self._mask() == self.network_address._n

    def hosts(self):
        first, last = 1, self.num_addresses - 1
        if self.num_addresses <= 2:
            first, last = 0, self.num_addresses
        elif self.version == 6:
            last = self.num_addresses
        i = first
        while i < last:
            yield self.network_address + i
            i += 1

    def overlaps(self, other):
        return other.network_address in self or self.network_address in other

    def subnet_of(self, other):
        return self in other

    def supernet_of(self, other):
        return other in self

    def subnets(self, prefixlen_diff=1, new_prefix=None):
        if new_prefix is None:
            new_prefix = self.prefixlen + prefixlen_diff
        if not self.prefixlen <= new_prefix <= self.max_prefixlen:
            raise ValueError('prefix length diff %d is invalid for netblock %s' % (new_prefix, self))
        size = 1 << self.max_prefixlen - new_prefix
        for i in range(1 << new_prefix - self.prefixlen):
            yield self._network('%s/%d' % (self.network_address + i * size, new_prefix))

    def supernet(self, prefixlen_diff=1, new_prefix=None):
        if self.prefixlen == 0:
            return self
        if new_prefix is None:
            new_prefix = self.prefixlen - prefixlen_diff
        if not 0 <= new_prefix <= self.prefixlen:
            raise ValueError('current prefixlen is %d, cannot have a prefixlen_diff of %d' % (self.prefixlen, prefixlen_diff))
        return self._network('%s/%d' % (self.network_address, new_prefix), strict=False)

class IPv4Network(_Network):
    version, max_prefixlen, _address = 4, 32, IPv4Address

class IPv6Network(_Network):
    version, max_prefixlen, _address = 6, 128, IPv6Address

IPv4Network._network = IPv4Network
IPv6Network._network = IPv6Network

class IPv4Interface(IPv4Address):
    _kind = 'Interface'

    def __init__(self, address):
        self._init(address, IPv4Network)

    def _init(self, address, network):
        self.network = network(address, strict=False)
        text = address[0] if isinstance(address, tuple) else str(address).split('/')[0]
        self._n = self.network._address(text)._n

    @property
    def ip(self):
        return self.network._address(self._n)

    @property
    def netmask(self):
        return self.network.netmask

    @property
    def hostmask(self):
        return self.network.hostmask

    @property
    def with_prefixlen(self):
        return str(self)

    @property
    def with_netmask(self):
        return '%s/%s' % (self.ip, self.netmask)

    @property
    def with_hostmask(self):
        return '%s/%s' % (self.ip, self.hostmask)

    def __str__(self):
        return self.network._with(self._n)

class IPv6Interface(IPv4Interface):
    version, max_prefixlen = 6, 128

    def __init__(self, address):
        self._init(address, IPv6Network)

def _either(address, four, six, what, **kw):
    try:
        return four(address, **kw)
    except (AddressValueError, NetmaskValueError):
        pass
    try:
        return six(address, **kw)
    except (AddressValueError, NetmaskValueError):
        pass
    raise ValueError('%r does not appear to be an IPv4 or IPv6 %s' % (address, what))

def ip_address(address):
    return _either(address, IPv4Address, IPv6Address, 'address')

def ip_network(address, strict=True):
    return _either(address, IPv4Network, IPv6Network, 'network', strict=strict)

def ip_interface(address):
    return _either(address, IPv4Interface, IPv6Interface, 'interface')

def v4_int_to_packed(n):
    return IPv4Address(n).packed

def v6_int_to_packed(n):
    return IPv6Address(n).packed

def summarize_address_range(first, last):
    if first.version != last.version:
        raise TypeError('%s and %s are not of the same version' % (first, last))
    if first > last:
        raise ValueError('last IP address must be greater than first')
    net, n = IPv4Network if first.version == 4 else IPv6Network, first._n
    while n <= last._n:
        size = 0
        while size < first.max_prefixlen and not n >> size & 1 and n + (2 << size) - 1 <= last._n:
            size += 1
        yield net((n, first.max_prefixlen - size))
        n += 1 << size

def get_mixed_type_key(obj):
    if isinstance(obj, _Network):
        return (obj.version, obj.network_address, obj.netmask)
    return (obj.version, obj)

def collapse_addresses(addresses):
    nets = sorted([ip_network(str(a)) for a in addresses])
    out = []
    for n in nets:
        if out and n in out[-1]:
            continue
        out.append(n)
        while len(out) > 1 and out[-1].prefixlen == out[-2].prefixlen and out[-1] != out[-2] and out[-1].supernet() == out[-2].supernet():
            merged = out[-1].supernet()
            out[-2:] = [merged]
    return iter(out)
