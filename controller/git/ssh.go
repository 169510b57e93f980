// SPDX-License-Identifier: Apache-2.0

package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	gittransport "github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"

	"github.com/bindery/bindery/internal/transport"
)

// dialTime bounds how long a server may take to be reached.
const dialTime = 10 * time.Second

// SSH tells whether a repository is reached by SSH: ssh://… or user@host:path.
func SSH(repository string) bool {
	if strings.Contains(repository, "://") {
		return strings.HasPrefix(repository, "ssh://")
	}
	before, _, ok := strings.Cut(repository, ":")
	return ok && !strings.Contains(before, "/") && !filepath.IsAbs(repository)
}

// locateSSH reads the address and the keys. Nothing is taken from an agent, and a
// server that is not pinned is refused.
func (m *Mirror) locateSSH() error {
	if u, err := url.Parse(m.c.URL); err == nil && u.Scheme == "ssh" {
		if _, has := u.User.Password(); has {
			return errors.New("git: the repository's URL holds a password; SSH goes with a key")
		}
	}
	endpoint, err := gittransport.NewEndpoint(m.c.URL)
	if err != nil || endpoint.Host == "" || endpoint.Protocol != "ssh" {
		return errors.New("git: the repository's address is not ssh://user@host/path or user@host:path")
	}
	if len(m.c.SSHKey) == 0 || m.c.KnownHosts == "" {
		return errors.New("git: SSH needs a key and a file of known hosts")
	}
	keys, err := gitssh.NewPublicKeys(endpoint.User, m.c.SSHKey, "")
	if err != nil {
		return errors.New("git: the SSH key is no private key without a passphrase")
	}
	known, err := gitssh.NewKnownHostsDb(m.c.KnownHosts)
	if err != nil {
		return fmt.Errorf("git: known hosts: %w", err)
	}
	port := endpoint.Port
	if port <= 0 {
		port = gitssh.DefaultPort
	}
	// Only the kinds of keys that are pinned are asked for: a server that has more
	// would show another.
	kinds := known.HostKeyAlgorithms(net.JoinHostPort(endpoint.Host, strconv.Itoa(port)))
	if len(kinds) == 0 {
		return fmt.Errorf("git: %s has no key of %s, and unknown ones are never taken: ask its owner for the key, or write what `ssh-keyscan` shows once you compared it",
			m.c.KnownHosts, endpoint.Host)
	}
	keys.HostKeyCallback, keys.HostKeyAlgorithms = known.HostKeyCallback(), kinds
	m.keys = &timedKeys{keys}
	m.url = strings.TrimSuffix(m.c.URL, "/")
	return nil
}

// timedKeys bounds the time that a connection takes.
type timedKeys struct{ *gitssh.PublicKeys }

// ClientConfig implements gitssh.AuthMethod.
func (k *timedKeys) ClientConfig() (*ssh.ClientConfig, error) {
	c, err := k.PublicKeys.ClientConfig()
	if err == nil {
		c.Timeout = dialTime
	}
	return c, err
}

// openSSH connects. The library does not take a context for that, so what comes too
// late is closed.
func (m *Mirror) openSSH(ctx context.Context, endpoint *gittransport.Endpoint) (gittransport.UploadPackSession, error) {
	type opened struct {
		session gittransport.UploadPackSession
		err     error
	}
	done := make(chan opened, 1)
	go func() {
		s, err := gitssh.NewClient(nil).NewUploadPackSession(endpoint, m.keys)
		done <- opened{s, err}
	}()
	select {
	case got := <-done:
		return got.session, got.err
	case <-ctx.Done():
		go func() {
			if late := <-done; late.err == nil {
				_ = late.session.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// bounded ends with transport.ErrTooLarge after so many bytes.
type bounded struct {
	from io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, transport.ErrTooLarge
	}
	return n, err
}
