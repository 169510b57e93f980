# SPDX-License-Identifier: Apache-2.0
import hashlib

RESERVED_NCS, RFC_4122 = 'reserved for NCS compatibility', 'specified in RFC 4122'
RESERVED_MICROSOFT, RESERVED_FUTURE = 'reserved for Microsoft compatibility', 'reserved for future definition'

class UUID(object):
    def __init__(self, hex=None, bytes=None, int=None, version=None):
        if hex is not None:
            digits = hex.replace('urn:', '').replace('uuid:', '').strip('{}').replace('-', '')
            if len(digits) != 32 or digits.strip('0123456789abcdefABCDEF'):
                raise ValueError('badly formed hexadecimal UUID string')
        elif bytes is not None:
            if len(bytes) != 16:
                raise ValueError('bytes is not a 16-char string')
            digits = ''.join(['%02x' % ord(b) for b in bytes])
        elif int is None:
            raise TypeError('one of the hex, bytes or int arguments must be given')
        else:
            if not 0 <= int < 1 << 128:
                raise ValueError('int is out of range (need a 128-bit value)')
            digits = '%032x' % int
        digits = digits.lower()
        if version is not None:
            digits = digits[:12] + str(version) + digits[13:16] + '89ab'['0123456789abcdef'.index(digits[16]) & 3] + digits[17:]
        self.hex = digits

    @property
    def variant(self):
        n = '0123456789abcdef'.index(self.hex[16])
        if n < 8:
            return RESERVED_NCS
        return RFC_4122 if n < 12 else RESERVED_MICROSOFT if n < 14 else RESERVED_FUTURE

    @property
    def version(self):
        return '0123456789abcdef'.index(self.hex[12]) if self.variant == RFC_4122 else None

    @property
    def bytes(self):
        return ''.join([chr(self.int >> s & 255) for s in range(120, -1, -8)])

    @property
    def fields(self):
        n = self.int
        return (n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff, n >> 56 & 0xff, n >> 48 & 0xff, n & 0xffffffffffff)

    time_low, time_mid, time_hi_version = property(lambda s: s.fields[0]), property(lambda s: s.fields[1]), property(lambda s: s.fields[2])
    clock_seq_hi_variant, clock_seq_low, node = property(lambda s: s.fields[3]), property(lambda s: s.fields[4]), property(lambda s: s.fields[5])

    def __str__(self):
        h = self.hex
        return '-'.join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])

    def __repr__(self):
        return "UUID('%s')" % self

    def __int__(self):
        return int(self.hex, 16)

    @property
    def int(self):
        return __import__('__builtin__').int(self.hex, 16)

    @property
    def urn(self):
        return 'urn:uuid:' + str(self)

    def __eq__(self, other):
        return isinstance(other, UUID) and self.hex == other.hex

    def __hash__(self):
        return hash(self.hex)

    def __cmp__(self, other):
        return cmp(self.hex, other.hex)

NAMESPACE_DNS = UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_URL = UUID('6ba7b811-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_OID = UUID('6ba7b812-9dad-11d1-80b4-00c04fd430c8')
NAMESPACE_X500 = UUID('6ba7b814-9dad-11d1-80b4-00c04fd430c8')

def uuid3(namespace, name):
    return UUID(hex=hashlib.md5(__unhex__(namespace.hex) + name).hexdigest()[:32], version=3)

def uuid5(namespace, name):
    return UUID(hex=hashlib.sha1(__unhex__(namespace.hex) + name).hexdigest()[:32], version=5)

def uuid4():
    raise __refused__('uuid4()', 'use uuid5 with a name, whose results stay the same')

def uuid1(*args):
    raise __refused__('uuid1()', 'use uuid5 with a name, whose results stay the same')

getnode = uuid1
