package drill

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// targetCRM is where the alerts of the played CRM go.
const targetCRM = "webhook:crm"

// What a slow CRM takes while it counts, how long it is away when it was given
// more, and what it answers. It says ten a second, and stands twice as much.
const (
	crmStands   = 20
	crmAwayFor  = 5 * time.Second
	crmCounts   = time.Second
	crmAway     = "restarting"
	crmNoSuch   = `{"error":"form_closed"}`
	crmAccepted = `{"ok":true}`
)

// crm plays the webhook of a program that takes leads.
type crm struct {
	receiver

	nowFunc func() time.Time
	closed  string // a form of which it takes nothing
	isSlow  bool
	came    []time.Time // requests of the last second, while it is slow
	until   time.Time   // when it is back
	fell    int         // how often it fell over
}

func startCRM(ctx context.Context) (*crm, error) {
	c := &crm{nowFunc: time.Now}
	return c, c.start(ctx, c.answer)
}

func (c *crm) stop() {
	if c != nil {
		c.receiver.stop()
	}
}

// closeForm makes it refuse what comes from a form.
func (c *crm) closeForm(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = name
}

// slow makes it fall over when too much comes at once.
func (c *crm) slow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isSlow = true
}

// falls is how often it fell over.
func (c *crm) falls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fell
}

func (c *crm) answer(body []byte, broken bool) (status int, text, taken string) {
	var event struct {
		Data struct {
			Form string `json:"form"`
		} `json:"data"`
	}
	switch err := json.Unmarshal(body, &event); {
	case broken || c.isSlow && c.tooMuch():
		return http.StatusServiceUnavailable, crmAway, ""
	case err != nil:
		return http.StatusBadRequest, "{}", ""
	case c.closed != "" && event.Data.Form == c.closed:
		return http.StatusUnprocessableEntity, crmNoSuch, ""
	}
	return http.StatusOK, crmAccepted, string(body)
}

// tooMuch counts a request and reports whether it is away.
func (c *crm) tooMuch() bool {
	now := c.nowFunc()
	if now.Before(c.until) {
		return true
	}
	for len(c.came) > 0 && now.Sub(c.came[0]) >= crmCounts {
		c.came = c.came[1:]
	}
	if c.came = append(c.came, now); len(c.came) <= crmStands {
		return false
	}
	c.came, c.until = nil, now.Add(crmAwayFor)
	c.fell++
	return true
}
