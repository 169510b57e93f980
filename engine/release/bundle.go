// SPDX-License-Identifier: Apache-2.0

package release

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bindery/bindery/engine/config"
)

// Mode says what an agent does with a configuration.
type Mode string

const (
	// ModeApply makes the host what its configuration says.
	ModeApply Mode = "apply"
	// ModeReport plans and reports, and never applies.
	ModeReport Mode = "report"
)

// Policy travels in the signed bundle.
type Policy struct {
	Mode Mode `json:"mode"`
	// Report are bundles of which nothing is changed where the mode is to apply.
	Report []string `json:"report,omitempty"`
	// RemovalMax is how many things one run may take away, -1 for any number, 0 for
	// what agents take as enough; RemovalPercent is how many of a hundred entries may
	// be such that something goes, 0 for any.
	RemovalMax     int `json:"removal_max,omitempty"`
	RemovalPercent int `json:"removal_percent,omitempty"`
	// Confirm is how soon after a change the host must reach its source, or take the
	// change back. Zero: it need not.
	Confirm time.Duration `json:"confirm,omitempty"`
	// Health are checks after changes of bundles, by bundle.
	Health []Health `json:"health,omitempty"`
	// Whitelist and Blacklist are what Decisions says for the host: tag and name of
	// entries, as patterns. The host's own settings say which of them counts.
	Whitelist [][2]string `json:"whitelist,omitempty"`
	Blacklist [][2]string `json:"blacklist,omitempty"`
	// Windows are the times in which the host may be changed, none for always.
	Windows []Window `json:"windows,omitempty"`
	// Every is how often the host runs where its own settings do not say it.
	Every time.Duration `json:"every,omitempty"`
}

// Health says when a host is well after a change of one bundle.
type Health struct {
	Bundle string        `json:"bundle"`
	Grace  time.Duration `json:"grace,omitempty"`
	Checks []Check       `json:"checks"`
}

// Check is one question; one of Unit, TCP, HTTP and Command is given.
type Check struct {
	Unit    string   `json:"unit,omitempty"`
	TCP     string   `json:"tcp,omitempty"`
	HTTP    string   `json:"http,omitempty"`
	Status  int      `json:"status,omitempty"`
	Command []string `json:"command,omitempty"`
}

// String names the check for people.
func (c Check) String() string {
	switch {
	case c.Unit != "":
		return "unit " + c.Unit
	case c.TCP != "":
		return "tcp " + c.TCP
	case c.HTTP != "":
		return "http " + c.HTTP
	case len(c.Command) > 0:
		return "command " + c.Command[0]
	}
	return "no check"
}

// maxWait bounds what a policy makes a host wait for.
const maxWait = time.Hour

// Validate refuses a mode that is not known, which is never guessed, and waits
// without end.
func (p Policy) Validate() error {
	if p.Mode != ModeApply && p.Mode != ModeReport {
		return fmt.Errorf("policy mode %q is neither %q nor %q", p.Mode, ModeApply, ModeReport)
	}
	waits := []time.Duration{p.Confirm}
	for _, h := range p.Health {
		waits = append(waits, h.Grace)
	}
	for _, d := range waits {
		if d < 0 || d > maxWait {
			return fmt.Errorf("policy waits %s, which is not from nothing to %s", d, maxWait)
		}
	}
	if p.Every != 0 && (p.Every < time.Minute || p.Every > 24*time.Hour) {
		return fmt.Errorf("policy has hosts run every %s, which is not from a minute to a day", p.Every)
	}
	return nil
}

// Digest covers the policy.
func (p Policy) Digest() config.Digest {
	data, err := json.Marshal(p)
	if err != nil {
		return config.Digest{} // a struct of plain values always encodes
	}
	return sha256.Sum256(data)
}

// Manifest says what a bundle is and for whom. It repeats inside the seal what
// the signed metadata say outside.
type Manifest struct {
	Format int    `json:"format"`
	Host   string `json:"host"`
	HostID string `json:"host_id"`
	Commit string `json:"commit"`
	Tree   string `json:"tree"`
	// Sequence is the version of the targets metadata that was signed with it.
	Sequence int64 `json:"sequence"`
	// ConfigDigest is config.Config.Digest; "" where the host waits for facts.
	ConfigDigest string `json:"config_digest,omitempty"`
	// ConfigMark stands for the digest outside the seal: only the controller can
	// compute it. A plain digest would let whoever reads it guess a short secret.
	ConfigMark   string `json:"config_mark,omitempty"`
	ProbeDigest  string `json:"probe_digest"`
	PolicyDigest string `json:"policy_digest"`
	Engine       string `json:"engine"`
	Policy       Policy `json:"policy"`
	// Waiting tells that the host's probes have no accepted answers yet, so that
	// there is no configuration in the bundle.
	Waiting bool `json:"waiting,omitempty"`
	// Sensitive are the entries whose content must never be shown for a reason
	// that the configuration's own bytes do not tell.
	Sensitive []config.Key `json:"sensitive,omitempty"`
}

// Bundle is what one host gets, before it is sealed and after it was opened.
type Bundle struct {
	Manifest Manifest
	// Config is nil where the host waits for facts.
	Config *config.Config
	Probes []config.Probe
}

// Identified are the parts of a manifest that only its maker knows; the rest
// follows from the content.
type Identified struct {
	Host, HostID, Commit, Tree, Engine string
	Sequence                           int64
	// ConfigMark is the controller's keyed digest of the configuration.
	ConfigMark string
}

// NewBundle completes the manifest. A nil configuration means that the host waits
// for facts, which needs probes to wait for.
func NewBundle(id Identified, cfg *config.Config, probes []config.Probe, policy Policy) (*Bundle, error) {
	if err := policy.Validate(); err != nil {
		return nil, err
	}
	if !ValidHostID(id.HostID) {
		return nil, fmt.Errorf("host id %q is malformed", id.HostID)
	}
	if cfg == nil && len(probes) == 0 {
		return nil, fmt.Errorf("host %s has neither a configuration nor probes to wait for", id.Host)
	}
	if cfg != nil && cfg.Host != id.Host {
		return nil, fmt.Errorf("configuration of %s cannot be published for %s", cfg.Host, id.Host)
	}
	m := Manifest{
		Format: Format, Host: id.Host, HostID: id.HostID, Commit: id.Commit, Tree: id.Tree, Sequence: id.Sequence,
		ProbeDigest: config.ProbeDigest(probes).String(), PolicyDigest: policy.Digest().String(),
		Engine: id.Engine, Policy: policy, Waiting: cfg == nil,
	}
	if cfg != nil {
		m.ConfigDigest, m.ConfigMark = cfg.Digest().String(), id.ConfigMark
		for _, k := range cfg.Keyed() {
			if k.Entry.Sensitive {
				m.Sensitive = append(m.Sensitive, k.Key)
			}
		}
	}
	return &Bundle{Manifest: m, Config: cfg, Probes: probes}, nil
}

// check compares the manifest with what came along.
func (b *Bundle) check() error {
	m := &b.Manifest
	if err := m.Policy.Validate(); err != nil {
		return err
	}
	if m.Waiting != (b.Config == nil) {
		return fmt.Errorf("the manifest says waiting=%t but a configuration is there=%t", m.Waiting, b.Config != nil)
	}
	digests := []struct{ what, said, is string }{
		{"configuration", m.ConfigDigest, ""},
		{"probe set", m.ProbeDigest, config.ProbeDigest(b.Probes).String()},
		{"policy", m.PolicyDigest, m.Policy.Digest().String()},
	}
	if b.Config != nil {
		digests[0].is = b.Config.Digest().String()
	}
	for _, d := range digests {
		if d.said != d.is {
			return fmt.Errorf("%s: the manifest says digest %q, the content has %q: %w", d.what, d.said, d.is, ErrMismatch)
		}
	}
	return nil
}

// restore gives a decoded configuration what its XML does not carry.
func restore(cfg *config.Config, m *Manifest) *config.Config {
	cfg.Host, cfg.Revision = m.Host, m.Commit
	if len(m.Sensitive) == 0 {
		return cfg
	}
	marked := make(map[config.Key]bool, len(m.Sensitive))
	for _, k := range m.Sensitive {
		marked[k] = true
	}
	hidden := map[*config.Entry]*config.Entry{}
	for _, k := range cfg.Keyed() {
		if marked[k.Key] {
			e := *k.Entry
			e.Sensitive = true
			hidden[k.Entry] = config.NewEntry(e)
		}
	}
	out := &config.Config{Host: cfg.Host, Revision: cfg.Revision, Bundles: make([]*config.Bundle, len(cfg.Bundles))}
	for i, b := range cfg.Bundles {
		entries := make([]*config.Entry, len(b.Entries))
		for j, e := range b.Entries {
			entries[j] = e
			if h := hidden[e]; h != nil {
				entries[j] = h
			}
		}
		out.Bundles[i] = config.NewBundle(b.Tag, b.Attrs, entries)
	}
	return out
}
