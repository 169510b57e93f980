// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// bindery is the program, with a specification of one host for each package.
type bindery struct {
	program, dir             string
	sources, archs, keyrings []string
}

// resolve gives what is added for each package.
func (b *bindery) resolve(ctx context.Context, w io.Writer, chosen []closure) (map[string][]string, error) {
	spec, out := filepath.Join(b.dir, "spec"), filepath.Join(b.dir, "out")
	var clients, groups strings.Builder
	files := map[string]string{"Packages/sources.xml": "<Sources>" + strings.Join(b.sources, "\n") + "</Sources>\n"}
	var archs strings.Builder
	for _, a := range b.archs {
		fmt.Fprintf(&archs, "<Group name=%q/>", a)
	}
	for i, c := range chosen {
		fmt.Fprintf(&clients, "<Client name=\"h%d\" profile=\"p%d\"/>\n", i, i)
		fmt.Fprintf(&groups, "<Group name=\"p%d\" profile=\"true\">%s<Bundle name=\"b%d\"/></Group>\n", i, archs.String(), i)
		files[fmt.Sprintf("Bundler/b%d.xml", i)] = fmt.Sprintf("<Bundle><Package name=%q/></Bundle>\n", c.name)
	}
	files["Metadata/clients.xml"] = "<Clients>\n" + clients.String() + "</Clients>\n"
	files["Metadata/groups.xml"] = "<Groups>\n" + groups.String() + "</Groups>\n"
	for name, text := range files {
		name = filepath.Join(spec, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	update := []string{"packages", "update", "--spec", spec}
	for _, k := range b.keyrings {
		update = append(update, "--keyring", k)
	}
	if _, _, err := b.run(ctx, w, update...); err != nil {
		return nil, err
	}
	took, used, err := b.run(ctx, w, "build", "--spec", spec, "--host", "h0")
	if err != nil {
		return nil, err
	}
	if took > mayTake || used > mayUse {
		return nil, fmt.Errorf("a build may take %s and %d MB", mayTake, mayUse>>20)
	}
	if _, _, err := b.run(ctx, w, "build", "--spec", spec, "--all", "--out", out); err != nil {
		return nil, err
	}
	added := map[string][]string{}
	for i, c := range chosen {
		if added[c.name], err = read(filepath.Join(out, fmt.Sprintf("h%d.xml", i))); err != nil {
			return nil, err
		}
	}
	return added, nil
}

// run runs the program, and says what it took and used.
func (b *bindery) run(ctx context.Context, w io.Writer, args ...string) (took time.Duration, used int64, err error) {
	cmd := exec.CommandContext(ctx, b.program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	err = cmd.Run()
	took = time.Since(start)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		used = u.Maxrss << 10
	}
	fmt.Fprintf(w, "bindery %s: %.2f s, %d MB at most\n", strings.Join(args[:min(len(args), 2)], " "), took.Seconds(), used>>20)
	return took, used, nil
}

// read lists the packages that a configuration adds by itself.
func read(name string) ([]string, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var c struct {
		Added []struct {
			Name string `xml:"name,attr"`
		} `xml:"Independent>Package"`
	}
	if err := xml.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out []string
	for _, p := range c.Added {
		out = append(out, p.Name)
	}
	return out, nil
}
