// SPDX-License-Identifier: Apache-2.0

package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bindery/bindery/engine/secret"
)

// kind is what sops calls a kind of file.
func kind(name string) string {
	plain, _ := secret.Plain(name)
	switch path.Ext(plain) {
	case ".yaml", ".yml":
		return "yaml"
	case ".json":
		return "json"
	case ".ini":
		return "ini"
	case ".env":
		return "dotenv"
	}
	return "binary"
}

// Codes with which sops ends.
const (
	sopsMACMismatch = 51
	sopsNoKey       = 128
)

// openSOPS runs sops over its standard input. It has no terminal, and what it says
// is not read: it might quote the file.
func (k *Keyring) openSOPS(s secret.Sealed) ([]byte, error) {
	whose := recipientsOf(s.Data)
	if k.sops == "" {
		return nil, &secret.Error{
			Code: secret.CodeNoKey, Msg: "it is encrypted with sops" + whose + ", and no sops is given",
			Hint: "give the program: --sops PATH, or encrypted.sops in controller.yaml",
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.sops, "--decrypt", "--input-type", kind(s.File), "--output-type", kind(s.File), "/dev/stdin")
	cmd.Stdin = bytes.NewReader(s.Data)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BINDERY_") })
	cmd.WaitDelay = time.Second
	out := &limited{}
	cmd.Stdout = out
	err := cmd.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	switch {
	case out.full:
		return nil, tooLarge()
	case ctx.Err() != nil:
		return nil, &secret.Error{Code: secret.CodeWrong, Msg: fmt.Sprintf("sops did not end within %s", k.timeout), Hint: "run it by hand: does it ask for something, or for a server that does not answer?"}
	case err == nil:
		return out.buf.Bytes(), nil
	case ended && exit.ExitCode() == sopsNoKey:
		return nil, &secret.Error{Code: secret.CodeNoKey, Msg: "sops has no key that opens it" + whose, Hint: "give sops the key as its own documentation says: SOPS_AGE_KEY_FILE, a KMS login, GnuPG's agent"}
	case ended && exit.ExitCode() == sopsMACMismatch:
		return nil, &secret.Error{Code: secret.CodeWrong, Msg: "sops says that it was changed after it was encrypted", Hint: "encrypt it anew"}
	case ended:
		return nil, &secret.Error{Code: secret.CodeWrong, Msg: fmt.Sprintf("sops cannot open it: it ended with %d", exit.ExitCode()), Hint: "run sops --decrypt by hand to see why"}
	}
	return nil, &secret.Error{Code: secret.CodeWrong, Msg: "sops cannot be run", Hint: "is it where --sops or encrypted.sops says, and executable?"}
}

var recipient = regexp.MustCompile(`(?m)"?\b(?:recipient|fp|arn|resource_id|vault_address)"?:[ \t]*"?([A-Za-z0-9:/._+-]{4,200})"?,?[ \t]*$`)

// recipientsOf tells which keys open a file, as its metadata says.
func recipientsOf(data []byte) string {
	var names []string
	for _, m := range recipient.FindAllSubmatch(data, 4) {
		names = append(names, string(m[1]))
	}
	if names == nil {
		return ""
	}
	return " to " + strings.Join(names, ", ")
}

// limited takes as much as one secret may have.
type limited struct {
	buf  bytes.Buffer
	full bool
}

// Write fails where it becomes too much, which ends the program.
func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxOpened {
		l.full = true
		return 0, errors.New("too much")
	}
	return l.buf.Write(p)
}
