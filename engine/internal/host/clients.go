// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine/internal/shelf"
	"github.com/bindery/bindery/engine/internal/xmltree"
	"github.com/bindery/bindery/engine/problem"
)

// Client is one host of clients.xml.
type Client struct {
	// Name is in lower case.
	Name string
	// Profiles is one group, or several where a host is listed twice.
	Profiles  []string
	Addresses []string
	Aliases   []string
	UUID      string
	Password  string
	// Version is the client software's version as clients.xml records it.
	Version          string
	Secure, Floating bool
	Pos              problem.Pos
}

// maxClients bounds the hosts: each costs memory in every build, and a line of
// clients.xml costs nothing to write.
const maxClients = 250_000

// clients is clients.xml, read. Other revisions may have it too.
type clients struct {
	byName  map[string]*Client
	aliases map[string]string
	// names and profiles are sorted.
	names, profiles []string
	found           []*problem.Problem
}

// clientCost is about how many bytes of memory a client takes.
const clientCost = 512

func readClients(fsys fs.FS) (*clients, *problem.Problem) {
	var bad *problem.Problem
	c := shelf.Get(fsys, "clients", ClientsFile, func() (c *clients, size int, keep bool) {
		var alone bool
		c, alone, bad = parseClients(fsys)
		if bad != nil {
			return nil, 0, false
		}
		return c, clientCost * len(c.names), alone
	})
	return c, bad
}

// parseClients reads the file, and tells whether it is all that was read.
func parseClients(fsys fs.FS) (c *clients, alone bool, p *problem.Problem) {
	c = &clients{byName: map[string]*Client{}, aliases: map[string]string{}}
	if _, err := fs.Stat(fsys, ClientsFile); errors.Is(err, fs.ErrNotExist) {
		return c, true, nil // Bcfg2 creates an empty file
	}
	doc, p := xmltree.Load(fsys, ClientsFile)
	if p != nil {
		return nil, false, p
	}
	c.found = doc.Problems
	doc.Root.Walk(func(e *xmltree.Element) bool {
		if p == nil && e.Is("Client") {
			c.found, p = c.add(e, c.found)
		}
		return true
	})
	if p != nil {
		return nil, false, p
	}
	profiles := map[string]bool{}
	for _, client := range c.byName {
		for _, name := range client.Profiles {
			profiles[name] = true
		}
	}
	c.names, c.profiles = slices.Sorted(maps.Keys(c.byName)), slices.Sorted(maps.Keys(profiles))
	return c, len(doc.Files) == 1 && len(doc.Problems) == 0, nil
}

func (cs *clients) add(e *xmltree.Element, found []*problem.Problem) ([]*problem.Problem, *problem.Problem) {
	name, ok := e.Lookup("name")
	if !ok {
		// Bcfg2 stops reading here and then knows no client at all.
		return nil, problem.New(e.Pos, "client-without-name", "a Client without name: no client can be known", "give it a name, or remove the element")
	}
	name = strings.ToLower(name)
	if !ValidName(name) {
		return append(found, problem.New(e.AttrPos("name"), "bad-host-name", "the client's name is no host name; it is left out", "")), nil
	}
	c := cs.byName[name]
	if c == nil && len(cs.byName) == maxClients {
		return nil, problem.New(e.Pos, "too-many-clients", fmt.Sprintf("more than %d clients", maxClients), "split the specification")
	}
	if c == nil {
		c = &Client{Name: name, Pos: e.Pos}
		cs.byName[name] = c
	} else {
		found = append(found, problem.New(e.Pos, "duplicate-client", "client "+name+" is listed twice (first in line "+lineOf(c.Pos)+") and gets both profiles", "keep one of the two"))
	}
	c.Profiles = append(c.Profiles, e.Get("profile"))
	c.Secure = c.Secure || e.True("secure")
	c.Floating = c.Floating || e.True("floating") || e.Get("location") == "floating"
	for _, last := range []struct {
		to   *string
		name string
	}{{&c.UUID, "uuid"}, {&c.Password, "password"}, {&c.Version, "version"}} {
		if v, ok := e.Lookup(last.name); ok {
			*last.to = v
		}
	}
	c.address(e)
	for _, a := range e.Children {
		if !a.Is("Alias") {
			continue
		}
		alias := a.Get("name")
		if !ValidName(alias) {
			found = append(found, problem.New(a.AttrPos("name"), "bad-host-name", "the alias is no host name; it is left out", ""))
			continue
		}
		cs.aliases[alias] = name
		c.Aliases = append(c.Aliases, alias)
		c.address(a)
	}
	return found, nil
}

func (c *Client) address(e *xmltree.Element) {
	if a := e.Get("address"); a != "" && !slices.Contains(c.Addresses, a) {
		c.Addresses = append(c.Addresses, a)
	}
}

func lineOf(p problem.Pos) string {
	p.Column = 0
	return strings.TrimPrefix(p.String(), p.File+":")
}

// ValidName tells whether a name can be a host's: it ends up in file names and
// URLs, so it is one path element of printable characters without blanks.
func ValidName(name string) bool {
	if name == "" || len(name) > 253 || name == "." || name == ".." {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '/' || r == '\\' || r == 0x7F || r == 0xFFFD })
}
