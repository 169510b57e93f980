// SPDX-License-Identifier: Apache-2.0

// Package origin reads where the file of a package comes from, out of the
// attributes that Bcfg2 has for it: url, uri, file, simplefile, multiarch and srcs.
//
// It must not know what installs the file.
package origin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bindery/bindery/agent/pattern"
)

var plain = pattern.Of(`^(/|(https?|ftp|file)://)[A-Za-z0-9_.,=:+~^%/@-]*$`)

var errPlace = errors.New("url and simplefile are neither a path nor an address by http, https, ftp or file")

// Split takes a list of architectures apart, or of what stands for them in names of
// files: with commas as the tables of Bcfg2 say, or with blanks as its server reads it.
func Split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// Read gives the address of a package's file, for each architecture or, without any,
// one. Nothing is known where neither a file nor an address is named: then there are
// none.
//
// A Pkgmgr makes url of uri and the file, so that an url that ends with the file is
// the whole address; else the file is below it. With multiarch there is one url for
// each architecture.
func Read(get func(name string) string, file string, arches []string) ([]string, error) {
	urls := strings.Fields(get("url"))
	if file == "" && len(urls) == 0 {
		return nil, nil
	}
	files, err := expand(file, get("srcs"), arches)
	if err != nil {
		return nil, err
	}
	if len(urls) > 1 && len(urls) != len(files) {
		return nil, fmt.Errorf("url names %d addresses, for %d architectures", len(urls), len(files))
	}
	out := make([]string, len(files))
	for i, f := range files {
		url := ""
		if len(urls) > 0 {
			url = urls[min(i, len(urls)-1)]
		}
		if out[i] = place(url, get("uri"), f); !plain.MatchString(out[i]) {
			return nil, errPlace
		}
	}
	return out, nil
}

func place(url, uri, file string) string {
	switch {
	case file == "" || strings.HasSuffix(url, "/"+file):
		return url
	case uri != "":
		url = uri
	case url == "":
		return file
	}
	return strings.TrimSuffix(url, "/") + "/" + file
}

// expand puts each architecture into the name of a file, and what srcs has for it.
func expand(file, srcs string, arches []string) ([]string, error) {
	if len(arches) == 0 {
		return []string{file}, nil
	}
	names := arches
	if srcs != "" {
		names = Split(srcs)
	}
	if len(names) < len(arches) {
		return nil, fmt.Errorf("srcs names %d of %d architectures", len(names), len(arches))
	}
	out := make([]string, len(arches))
	for i, arch := range arches {
		out[i] = strings.NewReplacer("%(arch)s", arch, "%(src)s", names[i], "%%", "%").Replace(file)
	}
	return out, nil
}
