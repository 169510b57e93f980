// SPDX-License-Identifier: Apache-2.0

//go:build browser

package e2e_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/fixtures/site"
)

// reportPage writes the HTML report of the site's change and gives its address.
func reportPage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, side := range []string{"base", "head"} {
		unpack(t, site.Site(), filepath.Join(dir, side))
	}
	unpack(t, site.Change().Files, filepath.Join(dir, "head"))
	facts := map[string]map[string]string{}
	for _, h := range []string{"web1", "web2", "web3", "web4", "db1", "db2", "mail1", "mail2"} {
		facts[h+".example.org"] = map[string]string{"arch": "group:amd64\n", "hardware": "group:physical\n", "release": "group:bookworm\n"}
	}
	data, err := json.Marshal(facts)
	require.NoError(t, err)
	write(t, dir, "facts.json", string(data))
	out := ran(t, dir, program(t, "bindery"), "diff", "--spec-dirs", "base", "head", "--probe-data", "facts.json", "--format", "html")
	write(t, dir, "report.html", out)
	return "file://" + filepath.Join(dir, "report.html")
}

// heard is what a page complains about and asks for.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) add(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *heard) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.lines...)
}

// listen collects errors of the page, and requests besides that of the page itself.
func (b *tab) listen(url string) *heard {
	b.t.Helper()
	h := &heard{}
	require.NoError(b.t, chromedp.Listen(b.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			h.add(e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			h.add("console: " + string(e.Type))
		case *network.EventRequestWillBeSent:
			if e.Request.URL != url && e.Request.URL != "data:," {
				h.add("request: " + e.Request.URL)
			}
		}
	}))
	return h
}

const shown = `document.querySelectorAll(".change:not([hidden])").length`

// TestReport searches, filters, follows addresses and prints, as people do.
func TestReport(t *testing.T) {
	url := reportPage(t)
	b := newTab(t)
	complaints := b.listen(url)
	b.size(1200, 900, "light")
	b.do(chromedp.Navigate(url))
	b.becomes(`!document.querySelector(".tools").hidden`)
	all := value[int](b, shown)
	require.Greater(t, all, 5)
	require.Equal(t, all, value[int](b, `document.querySelectorAll(".change").length`))

	// By text, and by what is in a change.
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=text]`), "chrony"))
	b.becomes(shown + " < " + strconv.Itoa(all))
	require.Contains(t, value[string](b, `document.querySelector(".change:not([hidden])").textContent`), "chrony")
	require.Contains(t, value[string](b, `location.hash`), "text=chrony")
	require.Contains(t, value[string](b, `document.querySelector("output").textContent`), " of ")

	// By host: nothing that it does not get.
	require.True(t, value[bool](b, `document.querySelector(".tools").reset() ?? true`))
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=host]`), "mail1.example.org"))
	b.becomes(shown + ` > 0 && location.hash === "#?host=mail1.example.org"`)
	require.Zero(t, value[int](b, `[...document.querySelectorAll(".change:not([hidden]) .name")].filter((n) => n.textContent.includes("nginx")).length`))
	require.Less(t, value[int](b, shown), all)
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=host]`), "\x1b"), chromedp.SendKeys(chromedp.CSS(`[name=host]`), "nowhere"))
	b.becomes(shown + ` === 0 && !document.querySelector(".nothing").hidden`)

	// By kind, by keyboard.
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=host]`), "\x1b")) // Escape
	b.becomes(shown + " === " + strconv.Itoa(all))
	b.do(chromedp.Click(chromedp.CSS(`.kinds label`)))
	b.becomes(shown + " < " + strconv.Itoa(all))
	kind := value[string](b, `document.querySelector("[name=kind]:checked").value`)
	require.Zero(t, value[int](b, `[...document.querySelectorAll(".change:not([hidden])")].filter((c) => c.dataset.kind !== "`+kind+`").length`))

	// An address says what was looked for, to somebody else too.
	there := value[string](b, `location.href`)
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(there))
	b.becomes(`document.querySelector("[name=kind]:checked")?.value === "` + kind + `" && ` + shown + ` < ` + strconv.Itoa(all))
	b.do(chromedp.Click(chromedp.CSS(`[name=close]`)))
	require.Zero(t, value[int](b, `document.querySelectorAll(".change[open]:not([hidden])").length`))
	b.do(chromedp.Click(chromedp.CSS(`[name=open]`)))
	require.Zero(t, value[int](b, `document.querySelectorAll(".change:not([open]):not([hidden])").length`))

	require.Empty(t, complaints.all(), "it loads nothing and throws nothing")
}

// TestReportPrints: on paper everything is open, and the tools are not there.
func TestReportPrints(t *testing.T) {
	b := newTab(t)
	b.do(chromedp.Navigate(reportPage(t)))
	b.becomes(`!document.querySelector(".tools").hidden`)
	require.True(t, value[bool](b, `addEventListener("beforeprint", () => { window.atPrint = document.querySelectorAll(".change:not([open])").length }) ?? true`))
	closed := value[int](b, `document.querySelectorAll(".change:not([open])").length`)
	require.Positive(t, closed)
	pdf := got(b, chromedp.PrintToPDF())
	require.Equal(t, "%PDF-", string(pdf[:5]))
	require.Zero(t, value[int](b, `window.atPrint`))
	b.becomes(`document.querySelectorAll(".change:not([open])").length === ` + strconv.Itoa(closed))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	require.Equal(t, "none", value[string](b, `getComputedStyle(document.querySelector(".tools")).display`))
}

// TestReportWithoutScripts: everything is there, and nothing that does nothing.
func TestReportWithoutScripts(t *testing.T) {
	b := newTab(t)
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.do(chromedp.Navigate(reportPage(t)))
	// DevTools may still ask.
	require.Greater(t, value[int](b, `document.querySelectorAll(".change > summary").length`), 5)
	const height = `document.querySelector("%s").getBoundingClientRect().height`
	require.Zero(t, value[float64](b, fmt.Sprintf(height, ".tools")))
	require.Positive(t, value[float64](b, fmt.Sprintf(height, ".verdict h1")))
	b.do(chromedp.Click(chromedp.CSS(".change:not([open]) > summary")))
	b.becomes(fmt.Sprintf(height, ".change[open] .diff") + " > 0")
}

// TestReportPictures: the page in both schemes, and on a telephone nothing is wider
// than the screen.
func TestReportPictures(t *testing.T) {
	url := reportPage(t)
	b := newTab(t)
	for _, scheme := range []string{"light", "dark"} {
		b.size(1200, 1000, scheme)
		b.do(chromedp.Navigate(url))
		b.becomes(`!document.querySelector(".tools").hidden`)
		b.picture("report-" + scheme + ".png")
		require.GreaterOrEqual(t, contrast(b), 4.5, "soft text in %s", scheme)
	}
	b.size(360, 800, "light")
	require.LessOrEqual(t, value[int](b, `document.documentElement.scrollWidth`), 360)
}

// contrast is the ratio of the softest text to what is behind it, as WCAG counts.
func contrast(b *tab) float64 {
	b.t.Helper()
	return value[float64](b, `(() => {
	const light = (color) => {
		const [r, g, b] = color.match(/[\d.]+/g).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const text = light(getComputedStyle(document.querySelector(".soft")).color);
	const ground = light(getComputedStyle(document.querySelector(".change")).backgroundColor);
	return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
})()`)
}
