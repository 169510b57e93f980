# SPDX-License-Identifier: Apache-2.0
class Error(Exception): pass
class NoSectionError(Error): pass
class NoOptionError(Error): pass
class ParsingError(Error): pass
class MissingSectionHeaderError(ParsingError): pass
class DuplicateSectionError(Error): pass
class InterpolationError(Error): pass
class InterpolationMissingOptionError(InterpolationError): pass
_missing = []
_truths = {'1': True, 'yes': True, 'true': True, 'on': True, '0': False, 'no': False, 'false': False, 'off': False}
DEFAULTSECT = 'DEFAULT'

class SectionProxy(dict):
    def __init__(self, parser, name, items):
        self._parser, self.name = parser, name
        dict.update(self, items)
    def __getitem__(self, option): return dict.__getitem__(self, self._parser.optionxform(option))
    def __contains__(self, option): return dict.__contains__(self, self._parser.optionxform(option))
    def __setitem__(self, option, value):
        self._parser.set(self.name, option, value)
        dict.__setitem__(self, self._parser.optionxform(option), value)
    def get(self, option, fallback=None, **k): return self[option] if option in self else fallback
    def _as(self, how, option, fallback): return getattr(self._parser, how)(self.name, option) if option in self else fallback
    def getint(self, option, fallback=None): return self._as('getint', option, fallback)
    def getfloat(self, option, fallback=None): return self._as('getfloat', option, fallback)
    def getboolean(self, option, fallback=None): return self._as('getboolean', option, fallback)

class RawConfigParser(object):
    _fill = False
    def __init__(self, defaults=None, dict_type=None, allow_no_value=False, **settings):
        self._defaults = {}
        self._sections = {}
        self._bare = allow_no_value
        if settings.get('interpolation', self) is None: self._fill = False
        self._marks = settings.get('delimiters') or ('=', ':')
        self._notes, self._inline = tuple(settings.get('comment_prefixes') or '#;'), tuple(settings.get('inline_comment_prefixes') or ())
        for k, v in (defaults or {}).items(): self._defaults[self.optionxform(k)] = v
    def optionxform(self, option): return option.lower()
    def defaults(self): return self._defaults
    def sections(self): return list(self._sections)
    def has_section(self, section): return section in self._sections
    def add_section(self, section):
        if section in self._sections: raise DuplicateSectionError(section)
        self._sections[section] = {}
    def read(self, names, encoding=None):
        done = []
        for n in [names] if isinstance(names, str) else names:
            try:
                text = open(n).read()
            except IOError:
                continue
            self.read_string(text)
            done.append(n)
        return done
    def readfp(self, f, filename=None): self.read_string(f.read())
    def read_file(self, f, source=None): self.read_string(f if isinstance(f, str) else '\n'.join(l.rstrip('\n') for l in f))
    def read_dict(self, d, source=None):
        for s, options in d.items():
            if s != DEFAULTSECT and s not in self._sections: self._sections[s] = {}
            for k, v in options.items(): self._at(s)[self.optionxform(k)] = str(v)
    def read_string(self, text, source=None):
        section, option = None, None
        for line in text.splitlines():
            bare = line.strip()
            if not bare or bare.startswith(self._notes):
                continue
            for mark in self._inline:
                if ' ' + mark in bare: bare = bare[:bare.index(' ' + mark)].rstrip()
            if line[0].isspace() and option is not None and section is not None:
                section[option] = (section[option] or '') + '\n' + bare
                continue
            if bare[0] == '[' and ']' in bare:
                n = bare[1:bare.index(']')]
                if n != DEFAULTSECT and n not in self._sections: self._sections[n] = {}
                section, option = self._at(n), None
                continue
            if section is None: raise MissingSectionHeaderError(line)
            at = min([i for i in [bare.find(m) for m in self._marks] if i >= 0] or [-1])
            if at < 0 and not self._bare: raise ParsingError(line)
            option = self.optionxform((bare if at < 0 else bare[:at]).strip())
            section[option] = None if at < 0 else bare[at + 1:].strip()
    def _at(self, section):
        if section == DEFAULTSECT: return self._defaults
        if section not in self._sections: raise NoSectionError('No section: %r' % section)
        return self._sections[section]
    def options(self, section):
        own = self._at(section)
        return list(own) + [k for k in self._defaults if k not in own]
    def has_option(self, section, option):
        o = self.optionxform(option)
        return o in self._defaults or (section in self._sections and o in self._sections[section])
    def get(self, section, option, raw=False, vars=None, fallback=_missing):
        o = self.optionxform(option)
        try:
            names = dict(self._defaults)
            names.update(self._at(section))
            names.update(vars or {})
            if o not in names: raise NoOptionError('No option %r in section: %r' % (option, section))
        except (NoSectionError, NoOptionError):
            if fallback is not _missing: return fallback
            raise
        v = names[o]
        for i in range(10):
            if raw or not self._fill or not v or '%(' not in v: break
            try:
                v = v % names
            except KeyError as e:
                raise InterpolationMissingOptionError(str(e))
        return v.replace('%%', '%') if v and self._fill and not raw else v
    def getint(self, section, option, **k): return self._as(int, section, option, k)
    def getfloat(self, section, option, **k): return self._as(float, section, option, k)
    def getboolean(self, section, option, **k): return self._as(self._truth, section, option, k)
    def _as(self, kind, section, option, k):
        v = self.get(section, option, **k)
        return kind(v) if isinstance(v, str) else v
    def _truth(self, v):
        if v.lower() not in _truths: raise ValueError('Not a boolean: %s' % v)
        return _truths[v.lower()]
    def items(self, section=None, raw=False, vars=None):
        if section is None: return [(s, self[s]) for s in self._sections]
        return [(o, self.get(section, o, raw, vars)) for o in self.options(section)]
    def set(self, section, option, value=None): self._at(section)[self.optionxform(option)] = value
    def remove_option(self, section, option): return self._at(section).pop(self.optionxform(option), None) is not None
    def remove_section(self, section): return self._sections.pop(section, None) is not None
    def write(self, f, space_around_delimiters=True):
        eq = ' = ' if space_around_delimiters else '='
        for n in [DEFAULTSECT] * bool(self._defaults) + list(self._sections):
            f.write('[%s]\n' % n)
            for k, v in self._at(n).items():
                f.write(k + ('' if v is None else eq + str(v).replace('\n', '\n\t')) + '\n')
            f.write('\n')
    def __contains__(self, section): return section in self._sections
    def __iter__(self): return iter([DEFAULTSECT] + self.sections())
    def __setitem__(self, section, options):
        self._sections.pop(section, None)
        self.read_dict({section: options})
    def __getitem__(self, section):
        if section not in self._sections and section != DEFAULTSECT: raise KeyError(section)
        return SectionProxy(self, section, [(o, self.get(section, o)) for o in (self.options(section) if section != DEFAULTSECT else self._defaults)])
class ConfigParser(RawConfigParser):
    _fill = True
class SafeConfigParser(ConfigParser): pass
