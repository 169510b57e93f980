// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/binary"
)

// Probe is a question to a host: a script whose output comes back as a fact.
type Probe struct {
	Name string `json:"name"`
	// Source is the plugin that asks and that gets the answer.
	Source      string `json:"source"`
	Interpreter string `json:"interpreter"`
	Script      string `json:"script"`
}

// SourceProbes is the plugin whose probes have names of their own.
const SourceProbes = "Probes"

// Key is what the answer is told, kept and looked up under: the name of the probe,
// and before it the plugin that asks, unless that is Probes. A name of Probes has no
// colon, so that no two plugins share a key.
func (p *Probe) Key() string {
	if p.Source == SourceProbes {
		return p.Name
	}
	return p.Source + ":" + p.Name
}

// ProbeDigest covers a probe set in its order.
func ProbeDigest(probes []Probe) Digest {
	h := sha256.New()
	var n [8]byte
	for _, p := range probes {
		for _, s := range []string{p.Name, p.Source, p.Interpreter, p.Script} {
			binary.BigEndian.PutUint64(n[:], uint64(len(s)))
			h.Write(n[:])
			h.Write([]byte(s))
		}
	}
	var d Digest
	h.Sum(d[:0])
	return d
}
