# SPDX-License-Identifier: Apache-2.0

def wrap(text, width=70, initial_indent='', subsequent_indent='', **kw):
    out, line = [], initial_indent
    empty = True
    for word in text.split():
        while True:
            candidate = line + word if empty else line + ' ' + word
            if len(candidate) <= width:
                line, empty = candidate, False
                break
            if not empty:
                out.append(line)
                line, empty = subsequent_indent, True
                continue
            room = max(width - len(line), 1)
            if len(word) <= room or kw.get('break_long_words') is False:
                line, empty = line + word, False
                break
            out.append(line + word[:room])
            word, line = word[room:], subsequent_indent
    if not empty:
        out.append(line)
    return out

def fill(text, width=70, **kw):
    return '\n'.join(wrap(text, width, **kw))

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
