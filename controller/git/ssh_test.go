// SPDX-License-Identifier: Apache-2.0

package git_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/bindery/bindery/controller/git"
	"github.com/bindery/bindery/internal/transport"
)

// keyPair gives a private key in PEM and as what signs.
func keyPair(t *testing.T) ([]byte, ssh.Signer) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(block), signer
}

// serveSSH lets whoever has a key run git-upload-pack, as servers of git do.
func serveSSH(t *testing.T, root string, host ssh.Signer, user ssh.PublicKey) string {
	t.Helper()
	c := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(user.Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	c.AddHostKey(host)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveConn(t.Context(), conn, c, root)
		}
	}()
	return l.Addr().String()
}

func serveConn(ctx context.Context, conn net.Conn, c *ssh.ServerConfig, root string) {
	_, channels, requests, err := ssh.NewServerConn(conn, c)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for opened := range channels {
		channel, requests, err := opened.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			path, ok := strings.CutPrefix(string(r.Payload[min(4, len(r.Payload)):]), "git-upload-pack ")
			_ = r.Reply(ok && r.Type == "exec", nil)
			if !ok {
				continue
			}
			cmd := exec.CommandContext(ctx, "git", "upload-pack", filepath.Join(root, strings.Trim(path, "'")))
			cmd.Stdin, cmd.Stdout, cmd.Stderr = channel, channel, io.Discard
			_ = cmd.Run()
			_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{0}))
			_ = channel.Close()
		}
	}
}

// known writes a file of known hosts.
func known(t *testing.T, address string, key ssh.PublicKey) string {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "known_hosts")
	line := fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(key))
	require.NoError(t, os.WriteFile(file, []byte(line), 0o600))
	return file
}

func TestFetchBySSH(t *testing.T) {
	o := newOrigin(t)
	o.write("motd", "hello\n")
	first := o.commit()
	o.push("main")
	pem, user := keyPair(t)
	_, host := keyPair(t)
	address := serveSSH(t, filepath.Dir(o.forge.RepoDir()), host, user.PublicKey())
	url := "ssh://git@" + address + "/" + filepath.Base(o.forge.RepoDir())
	config := git.Config{URL: url, Dir: filepath.Join(t.TempDir(), "mirror"), SSHKey: pem, KnownHosts: known(t, address, host.PublicKey())}
	m, err := git.New(config)
	require.NoError(t, err)
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"))
	tip, err := m.Resolve(t.Context(), "refs/heads/main")
	require.NoError(t, err)
	require.Equal(t, first, tip)

	// More, on what is there; a force-push too.
	o.write("motd", "more\n")
	o.git("add", "-A")
	o.git("commit", "--quiet", "--amend", "-m", "other")
	o.push("main")
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"))
	tip, err = m.Resolve(t.Context(), "refs/heads/main")
	require.NoError(t, err)
	require.Equal(t, o.git("rev-parse", "HEAD"), tip)
	snap, err := m.Snapshot(t.Context(), tip)
	require.NoError(t, err)
	require.Empty(t, snap.Problems())
	require.NoError(t, m.Fetch(t.Context(), "refs/heads/main"), "nothing new")
	require.NoError(t, m.Close())

	// A server that shows another key than the one that is pinned is refused, and so is
	// one that knows our key not.
	_, other := keyPair(t)
	stranger, _ := keyPair(t)
	for name, spoil := range map[string]func(*git.Config){
		"knownhosts": func(c *git.Config) { c.KnownHosts = known(t, address, other.PublicKey()) },
		"handshake":  func(c *git.Config) { c.SSHKey = stranger },
	} {
		bad := config
		bad.Dir = filepath.Join(t.TempDir(), "mirror")
		spoil(&bad)
		m, err := git.New(bad)
		require.NoError(t, err)
		require.ErrorContains(t, m.Fetch(t.Context()), name)
		require.NoError(t, m.Close())
	}

	small := config
	small.Dir, small.PackLimit = filepath.Join(t.TempDir(), "mirror"), 100
	m, err = git.New(small)
	require.NoError(t, err)
	require.ErrorIs(t, m.Fetch(t.Context()), transport.ErrTooLarge)
	require.NoError(t, m.Close())
}

func TestSSHNeedsAKeyAndAPinnedServer(t *testing.T) {
	pem, host := keyPair(t)
	file := known(t, "127.0.0.1:2222", host.PublicKey())
	for url, c := range map[string]git.Config{
		"git@forge.example:acme/site.git":            {},
		"ssh://git@forge.example/acme/site.git":      {SSHKey: pem},
		"ssh://git@127.0.0.1:2222/x":                 {SSHKey: pem, KnownHosts: file + ".none"},
		"ssh://git:CANARY@127.0.0.1:2222/x":          {SSHKey: pem, KnownHosts: file},
		"ssh://git@127.0.0.1:2222/acme/../site.git/": {SSHKey: []byte("CANARY"), KnownHosts: file},
		"git@127.0.0.1:site.git":                     {SSHKey: pem, KnownHosts: file}, // known at another port
	} {
		c.URL, c.Dir = url, filepath.Join(t.TempDir(), "mirror")
		_, err := git.New(c)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "CANARY")
	}
	require.True(t, git.SSH("git@forge:x"))
	require.False(t, git.SSH("/a:b"))
	require.False(t, git.SSH("./a:b"))
	require.False(t, git.SSH("https://h/x"))
}

// A server that accepts and says nothing is given up with the context.
func TestSSHGivesUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	pem, host := keyPair(t)
	m, err := git.New(git.Config{
		URL: "ssh://git@" + l.Addr().String() + "/x", Dir: filepath.Join(t.TempDir(), "mirror"), SSHKey: pem,
		KnownHosts: known(t, l.Addr().String(), host.PublicKey()), Timeout: 50 * time.Millisecond,
	})
	require.NoError(t, err)
	require.ErrorIs(t, m.Fetch(t.Context()), context.DeadlineExceeded)
	require.NoError(t, m.Close())
}
