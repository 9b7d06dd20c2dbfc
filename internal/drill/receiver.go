package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// receiver is an HTTP server that plays an integration.
type receiver struct {
	ln     net.Listener
	server *http.Server

	mu     sync.Mutex
	broken bool
	taken  []string // what was accepted
}

// maxBody bounds what a receiver reads.
const maxBody = 1 << 20

// start serves answer, which is given the body and whether the receiver is
// broken, and returns the status, the answer and what was accepted, "" for
// nothing.
func (r *receiver) start(ctx context.Context, answer func(body []byte, broken bool) (status int, text, taken string)) error {
	var err error
	if r.ln, err = listen(ctx); err != nil {
		return err
	}
	r.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(io.LimitReader(q.Body, maxBody))
		if err != nil {
			return
		}
		r.mu.Lock()
		status, text, taken := answer(body, r.broken)
		if taken != "" {
			r.taken = append(r.taken, taken)
		}
		r.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})}
	go func() { _ = r.server.Serve(r.ln) }()
	return nil
}

func (r *receiver) url() string { return "http://" + r.ln.Addr().String() }

func (r *receiver) stop() {
	if r != nil && r.server != nil {
		_ = r.server.Close()
	}
}

// fail breaks the receiver, or mends it.
func (r *receiver) fail(broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = broken
}

// got is what was accepted, each once, and how much came twice.
func (r *receiver) got() (once, twice int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	for _, t := range r.taken {
		if seen[t] {
			twice++
		}
		seen[t] = true
	}
	return len(seen), twice
}

// slack plays an incoming webhook.
type slack struct{ receiver }

func startSlack(ctx context.Context) (*slack, error) {
	s := &slack{}
	err := s.start(ctx, func(body []byte, broken bool) (int, string, string) {
		if broken {
			return http.StatusServiceUnavailable, "upstream down", ""
		}
		return http.StatusOK, "ok", string(body)
	})
	return s, err
}

func (s *slack) stop() {
	if s != nil {
		s.receiver.stop()
	}
}

// monday plays the GraphQL API of a board, on which names are unique.
type monday struct {
	receiver

	cities []string // that its column "city" has; none: it takes any
	placed []string // the city of each item that was made, "" without one
	gone   []string // items that were removed
}

// choose makes the column "city" a list.
func (m *monday) choose(cities ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cities = cities
}

// removed reports whether an item was removed.
func (m *monday) removed(item string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.gone, item)
}

// in is how many items of a city there are.
func (m *monday) in(city string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, c := range m.placed {
		if c == city {
			n++
		}
	}
	return n
}

func startMonday(ctx context.Context) (*monday, error) {
	m := &monday{}
	err := m.start(ctx, func(body []byte, broken bool) (int, string, string) {
		var call struct {
			Query     string `json:"query"`
			Variables struct {
				Name   string `json:"name"`
				Values string `json:"values"` // JSON
				Item   string `json:"item"`
			} `json:"variables"`
		}
		switch err := json.Unmarshal(body, &call); {
		case err != nil:
			return http.StatusBadRequest, "{}", ""
		case broken: // errors come with 200
			return http.StatusOK, `{"errors":[{"message":"This status label doesn't exist","extensions":{"code":"InvalidInputException"}}]}`, ""
		case strings.Contains(call.Query, "create_item"):
			city := cityOf(call.Variables.Values)
			if len(m.cities) > 0 && !slices.Contains(m.cities, city) {
				return http.StatusOK, `{"errors":[{"message":"The dropdown label does not exist","extensions":{"code":"ColumnValueException"}}]}`, ""
			}
			m.placed = append(m.placed, city)
			return http.StatusOK, fmt.Sprintf(`{"data":{"create_item":{"id":"%d"}}}`, 1000+len(m.taken)), call.Variables.Name
		}
		if strings.Contains(call.Query, "delete_item") {
			m.gone = append(m.gone, call.Variables.Item)
			return http.StatusOK, fmt.Sprintf(`{"data":{"delete_item":{"id":%q}}}`, call.Variables.Item), ""
		}
		return http.StatusOK, `{"data":{"items_page_by_column_values":{"items":[]}}}`, ""
	})
	return m, err
}

func (m *monday) stop() {
	if m != nil {
		m.receiver.stop()
	}
}

// cityOf is the label of the column "city" among the values of an item.
func cityOf(values string) string {
	var columns struct {
		City struct {
			Labels []string `json:"labels"`
		} `json:"city"`
	}
	if json.Unmarshal([]byte(values), &columns) != nil || len(columns.City.Labels) == 0 {
		return ""
	}
	return columns.City.Labels[0]
}
