# SPDX-License-Identifier: Apache-2.0

import re as _re

class TextWrapper(object):
    def __init__(self, width=70, initial_indent='', subsequent_indent='', expand_tabs=True, replace_whitespace=True, fix_sentence_endings=False,
                 break_long_words=True, drop_whitespace=True, break_on_hyphens=True, tabsize=8, max_lines=None, placeholder=' [...]'):
        self.width, self.initial_indent, self.subsequent_indent = width, initial_indent, subsequent_indent
        self.expand_tabs, self.replace_whitespace, self.tabsize = expand_tabs, replace_whitespace, tabsize
        self.break_long_words, self.drop_whitespace, self.break_on_hyphens = break_long_words, drop_whitespace, break_on_hyphens
        self.max_lines, self.placeholder = max_lines, placeholder
        if fix_sentence_endings:
            __refused__('fix_sentence_endings', 'write the blanks yourself')

    def _chunks(self, text):
        if self.expand_tabs:
            text = text.expandtabs(self.tabsize)
        if self.replace_whitespace:
            text = _re.sub('[\\t\\n\\v\\f\\r]', ' ', text)
        out = []
        for part in _re.findall('\\s+|\\S+', text):
            out += _hyphens(part) if self.break_on_hyphens else [part]
        return out

    def wrap(self, text):
        if self.width <= 0:
            raise ValueError('invalid width %r (must be > 0)' % self.width)
        lines, chunks, i = [], self._chunks(text), 0
        while i < len(chunks):
            indent = self.subsequent_indent if lines else self.initial_indent
            room, line, size = self.width - len(indent), [], 0
            if self.drop_whitespace and not chunks[i].strip() and lines:
                i += 1
            while i < len(chunks) and size + len(chunks[i]) <= room:
                line.append(chunks[i])
                size += len(chunks[i])
                i += 1
            if i < len(chunks) and len(chunks[i]) > room:
                left = max(room - size, 1 if not line else 0)
                if self.break_long_words and left > 0:
                    line.append(chunks[i][:left])
                    chunks[i] = chunks[i][left:]
                elif not self.break_long_words and not line:
                    line.append(chunks[i])
                    i += 1
            if self.drop_whitespace and line and not line[-1].strip():
                line.pop()
            if line:
                if self.max_lines is not None and len(lines) + 1 >= self.max_lines and [c for c in chunks[i:] if c.strip()]:
                    return lines + [self._cut(indent, line)]
                lines.append(indent + ''.join(line))
        return lines

    def _cut(self, indent, line):
        while line:
            if line[-1].strip() and len(''.join(line)) + len(self.placeholder) <= self.width - len(indent):
                return indent + ''.join(line) + self.placeholder
            line.pop()
        return indent + self.placeholder.lstrip()

    def fill(self, text):
        return '\n'.join(self.wrap(text))

def _hyphens(word):
    out, start = [], 0
    for i in range(1, len(word) - 1):
        if word[i] == '-' and word[i - 1].isalpha() and word[i + 1].isalpha():
            out.append(word[start:i + 1])
            start = i + 1
    return out + [word[start:]]

def wrap(text, width=70, **kw):
    return TextWrapper(width=width, **kw).wrap(text)

def fill(text, width=70, **kw):
    return '\n'.join(wrap(text, width, **kw))

def shorten(text, width, **kw):
    return TextWrapper(width=width, max_lines=1, **kw).fill(' '.join(text.strip().split()))

def indent(text, prefix, predicate=None):
    keep = predicate or (lambda line: line.strip())
    return ''.join([prefix + l if keep(l) else l for l in text.splitlines(True)])

def dedent(text):
    margin = None
    for l in text.split('\n'):
        if l.strip():
            lead = l[:len(l) - len(l.lstrip())]
            if margin is None:
                margin = lead
            while not lead.startswith(margin):
                margin = margin[:-1]
    out = [l[len(margin or ''):] if l.strip() else '' for l in text.split('\n')]
    return '\n'.join(out)
