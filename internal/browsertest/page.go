package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"
)

// Page is a tab whose pages may run no script of their own.
type Page struct {
	tb      testing.TB
	b       *Browser
	session string
	loaded  <-chan message
}

// NewPage opens a tab of a size in CSS pixels. Its pages get no JavaScript.
func (b *Browser) NewPage(tb testing.TB, width, height int) *Page {
	tb.Helper()
	var target struct {
		TargetID string `json:"targetId"` //nolint:tagliatelle // the protocol's name
	}
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"` //nolint:tagliatelle // the protocol's name
	}
	b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p := &Page{tb: tb, b: b, session: attached.SessionID}
	p.loaded = b.listen(p.session, "Page.loadEventFired")
	p.call("Page.enable", nil, nil)
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
	p.call("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	return p
}

func (p *Page) call(method string, params, result any) {
	p.tb.Helper()
	if params == nil {
		params = map[string]any{}
	}
	p.b.tb = p.tb
	p.b.call(p.session, method, params, result)
}

// Open loads an address and waits until everything on it is there.
func (p *Page) Open(address string) {
	p.tb.Helper()
	p.call("Page.navigate", map[string]any{"url": address}, nil)
	p.awaitLoad()
}

func (p *Page) awaitLoad() {
	p.tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.loaded:
	case <-timer.C:
		p.tb.Fatal("the page does not load")
	}
}

// UseScheme makes the pages light or dark.
func (p *Page) UseScheme(scheme string) {
	p.tb.Helper()
	p.call("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}},
	}, nil)
}

// Press presses a key and lets it go: Tab or Enter.
func (p *Page) Press(key string) {
	p.tb.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13}
	down := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		down["text"] = "\r"
	}
	p.call("Input.dispatchKeyEvent", down, nil)
	p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}, nil)
}

// PressEnterAndWait presses Enter, which opens another page.
func (p *Page) PressEnterAndWait() {
	p.tb.Helper()
	p.Press("Enter")
	p.awaitLoad()
}

// Type writes into what has the focus.
func (p *Page) Type(text string) {
	p.tb.Helper()
	p.call("Input.insertText", map[string]any{"text": text}, nil)
}

// Eval evaluates an expression for the test and reads its value into v.
func (p *Page) Eval(expression string, v any) {
	p.tb.Helper()
	var got struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"` //nolint:tagliatelle // the protocol's name
	}
	p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &got)
	if got.Exception != nil {
		p.tb.Fatalf("the expression fails: %.500s", got.Exception)
	}
	if v != nil && len(got.Result.Value) > 0 {
		if err := json.Unmarshal(got.Result.Value, v); err != nil {
			p.tb.Fatal(err)
		}
	}
}

// Violation is a rule of accessibility that a page breaks.
type Violation struct {
	ID, Help string
	Nodes    []struct{ HTML string }
}

// Check has axe-core look at the page, with every rule of WCAG 2.2 AA and what
// it calls best practice, and returns what it finds and how many rules passed.
func (p *Page) Check() (found []Violation, passed int) {
	p.tb.Helper()
	source, err := os.ReadFile(os.Getenv("AXE"))
	if err != nil {
		p.tb.Fatalf("axe-core: %v", err)
	}
	// The page itself has no script that could run now.
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": false}, nil)
	p.Eval(string(source)+"\n;null", nil)
	var result struct {
		Violations []Violation
		Passes     int
	}
	p.Eval(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
		.then(r => ({Violations: r.violations.map(v => ({ID: v.id, Help: v.help, Nodes: v.nodes.map(n => ({HTML: n.html}))})),
			Passes: r.passes.length}))`, &result)
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	return result.Violations, result.Passes
}

// Screenshot writes the page as PNG.
func (p *Page) Screenshot(path string) {
	p.tb.Helper()
	var shot struct {
		Data string `json:"data"`
	}
	p.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(path, image, 0o600)
	}
	if err != nil {
		p.tb.Fatal(err)
	}
}

// String names the violation and where it is.
func (v Violation) String() string { return fmt.Sprintf("%s (%s): %v", v.ID, v.Help, v.Nodes) }
