// SPDX-License-Identifier: Apache-2.0

// Package metrics counts what the controller does and shows it to Prometheus. Its
// labels are few stable words, never the name of a host. It must not know where
// the numbers come from.
package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is what metrics need besides being told.
type Config struct {
	// Hosts counts hosts by environment and state when somebody looks. It has a few seconds, and is
	// asked every fifteen seconds at most.
	Hosts func(ctx context.Context) (map[string]map[string]int, error)
	// Version of the program.
	Version string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Logger. Nil: nothing is logged.
	Logger *slog.Logger
}

// Metrics counts. It is safe for concurrent use.
type Metrics struct {
	c        Config
	registry *prometheus.Registry

	builds     *prometheus.CounterVec
	buildTime  *prometheus.HistogramVec
	published  *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	forge      *prometheus.CounterVec
	enrolments *prometheus.CounterVec
	facts      *prometheus.CounterVec
	reports    *prometheus.CounterVec
	success    *prometheus.GaugeVec
}

// New makes metrics.
func New(c Config) (*Metrics, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "bindery", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		c: c, registry: prometheus.NewRegistry(),
		builds: counter("builds_total", "Bindings of a whole environment, by result.", "environment", "result"),
		buildTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "bindery", Name: "build_seconds", Help: "How long the binding of a whole environment took.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"environment"}),
		published:  counter("published_total", "Releases of single hosts, by result: published, unchanged, error.", "environment", "result"),
		deliveries: counter("webhook_deliveries_total", "Deliveries of webhooks, by status code.", "code"),
		forge:      counter("forge_errors_total", "Calls of a forge that failed, by reason.", "environment", "reason"),
		enrolments: counter("enrolments_total", "Messages of enrolling hosts, by result.", "result"),
		facts:      counter("facts_total", "Facts of hosts, by result.", "result"),
		reports:    counter("reports_total", "Reports of hosts, by result.", "result"),
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "bindery", Name: "last_success_timestamp_seconds", Help: "When a loop last did all that it had to do.",
		}, []string{"environment", "loop"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "bindery", Name: "build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": c.Version},
	})
	info.Set(1)
	all := []prometheus.Collector{
		m.builds, m.buildTime, m.published, m.deliveries, m.forge, m.enrolments, m.facts, m.reports, m.success, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	if c.Hosts != nil {
		all = append(all, &hosts{c: c})
	}
	for _, collector := range all {
		if err := m.registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// Handler shows everything.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 20 * time.Second})
}

// Environment counts what is done for one environment.
type Environment struct {
	m    *Metrics
	name string
}

// Of gives the metrics of an environment. Names come from the settings, so there are few.
func (m *Metrics) Of(environment string) *Environment { return &Environment{m, environment} }

// Built counts a binding of all hosts.
func (e *Environment) Built(took time.Duration, err error) {
	e.m.builds.WithLabelValues(e.name, word(err)).Inc()
	e.m.buildTime.WithLabelValues(e.name).Observe(took.Seconds())
}

func word(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

// Published counts releases of single hosts.
func (e *Environment) Published(published, unchanged, failed int) {
	e.m.published.WithLabelValues(e.name, "published").Add(float64(published))
	e.m.published.WithLabelValues(e.name, "unchanged").Add(float64(unchanged))
	e.m.published.WithLabelValues(e.name, "error").Add(float64(failed))
}

// ForgeError counts a call of a forge that failed.
func (e *Environment) ForgeError(reason string) { e.m.forge.WithLabelValues(e.name, reason).Inc() }

// Enrolment counts a message of an enrolling host.
func (m *Metrics) Enrolment(result string) { m.enrolments.WithLabelValues(result).Inc() }

// Facts counts facts of a host.
func (m *Metrics) Facts(result string) { m.facts.WithLabelValues(result).Inc() }

// Report counts a report of a host.
func (m *Metrics) Report(result string) { m.reports.WithLabelValues(result).Inc() }

// Succeeded notes that a loop has just done all that it had to do. One of all
// environments is of none.
func (e *Environment) Succeeded(loop string) {
	e.m.success.WithLabelValues(e.name, loop).Set(float64(e.m.c.Now().UnixMilli()) / 1000)
}

// Deliveries counts what a webhook receiver answers.
func (m *Metrics) Deliveries(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerCounter(m.deliveries, next)
}

// hosts asks for the hosts by state.
type hosts struct {
	c Config

	mu    sync.Mutex
	known map[string]map[string]int
	at    time.Time
}

const (
	hostsFresh = 15 * time.Second
	hostsTime  = 5 * time.Second
)

var hostsDesc = prometheus.NewDesc("bindery_hosts", "Enrolled hosts, by environment and state.", []string{"environment", "state"}, nil)

// Describe implements prometheus.Collector.
func (h *hosts) Describe(ch chan<- *prometheus.Desc) { ch <- hostsDesc }

// Collect implements prometheus.Collector. What cannot be counted is left out.
func (h *hosts) Collect(ch chan<- prometheus.Metric) {
	for environment, states := range h.count() {
		for state, n := range states {
			ch <- prometheus.MustNewConstMetric(hostsDesc, prometheus.GaugeValue, float64(n), environment, state)
		}
	}
}

func (h *hosts) count() map[string]map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.c.Now()
	if since := now.Sub(h.at); h.known != nil && since >= 0 && since < hostsFresh {
		return h.known
	}
	ctx, cancel := context.WithTimeout(context.Background(), hostsTime)
	defer cancel()
	known, err := h.c.Hosts(ctx)
	if err != nil {
		h.c.Logger.Error("hosts cannot be counted", "err", err)
		return nil
	}
	h.known, h.at = known, now
	return known
}

var _ prometheus.Collector = (*hosts)(nil)
