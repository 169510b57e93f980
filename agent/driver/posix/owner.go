// SPDX-License-Identifier: Apache-2.0

package posix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
)

// table is one of the two files that give names to numbers.
type table struct{ attribute, file, database string }

var (
	users  = table{"owner", "/etc/passwd", "passwd"}
	groups = table{"group", "/etc/group", "group"}
)

// owners finds the numbers of users and groups. What it read is used again as
// long as the file is the same.
type owners struct {
	machine *system.Machine
	known   map[string]*names
}

type names struct {
	read system.Info
	ids  map[string]int
}

func newOwners(m *system.Machine) *owners {
	return &owners{machine: m, known: map[string]*names{}}
}

// id gives the number of a user or group, which may be written as a number.
func (o *owners) id(ctx context.Context, t table, name string) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	if name == "root" {
		return 0, nil
	}
	ids, err := o.load(t)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", t.attribute, err)
	}
	if id, ok := ids[name]; ok {
		return id, nil
	}
	if id, ok := o.ask(ctx, t, name); ok {
		ids[name] = id
		return id, nil
	}
	return 0, fmt.Errorf("%s %q %w", t.attribute, name, errUnknown)
}

var errUnknown = errors.New("is not known on this host")

// nameless tells whether the machine is a bare tree, in which names mean nothing
// yet.
func (o *owners) nameless(t table) bool {
	_, err := o.machine.Files.Look(t.file)
	return o.machine.Contained() && errors.Is(err, fs.ErrNotExist)
}

func (o *owners) load(t table) (map[string]int, error) {
	info, err := o.machine.Files.Look(t.file)
	if err != nil {
		return map[string]int{}, nil // a bare tree has no such file yet
	}
	if have := o.known[t.file]; have != nil && have.read == info {
		return have.ids, nil
	}
	r, err := o.machine.Files.Open(t.file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	ids := map[string]int{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if name, id, ok := parse(lines.Text()); ok {
			ids[name] = id
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", t.file, err)
	}
	o.known[t.file] = &names{read: info, ids: ids}
	return ids, nil
}

// parse reads a line of passwd or group: the number is the third field of both.
func parse(line string) (string, int, bool) {
	fields := strings.SplitN(line, ":", 4)
	if len(fields) < 3 || fields[0] == "" {
		return "", 0, false
	}
	id, err := strconv.ParseUint(fields[2], 10, 31)
	return fields[0], int(id), err == nil
}

// ask looks in directories such as LDAP, through the system's own resolver.
func (o *owners) ask(ctx context.Context, t table, name string) (int, bool) {
	if o.machine.Contained() || strings.HasPrefix(name, "-") {
		return 0, false
	}
	r, err := o.machine.Processes.Run(ctx, system.Command{
		Args: []string{"getent", t.database, name}, Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C"},
		Dir: "/", Timeout: 10 * time.Second, MaxOutput: 64 << 10, Asks: true,
	})
	if err != nil || r.Exit != 0 {
		return 0, false
	}
	_, id, ok := parse(strings.TrimSpace(string(r.Stdout)))
	return id, ok
}
