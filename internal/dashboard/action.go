package dashboard

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

var (
	alertKinds = []itemKind{itemAlert, itemCause}
	onAlerts   = []screenKind{screenAlerts}
)

// changing are the keys that change something. Each makes a command of the
// runbook, which is what is carried out.
func changing() []binding {
	return []binding{
		{keys: []string{"r"}, label: "r", help: "retry", kinds: alertKinds, write: true, foot: true, runFunc: bulk("retry")},
		{keys: []string{"x"}, label: "x", help: "discard", kinds: alertKinds, write: true, foot: true, runFunc: bulk("discard")},
		{keys: []string{"R"}, label: "R", help: "retry everything that the list's filter matches", screens: onAlerts, write: true, runFunc: whole("retry")},
		{keys: []string{"X"}, label: "X", help: "discard everything that the list's filter matches", screens: onAlerts, write: true, runFunc: whole("discard")},
		{keys: []string{"R"}, label: "R", help: "retry all alerts", kinds: []itemKind{itemQueue}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("retry", "(all types)", "dlq", "retry", "--all")
		}},
		{keys: []string{"r"}, label: "r", help: "reset", kinds: []itemKind{itemBreaker}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("reset breaker "+m.chosen().id+" on", "", "breaker", "reset", m.chosen().id)
		}},
		{keys: []string{"a"}, label: "a", help: "auto: let it judge by itself", kinds: []itemKind{itemBreaker}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("leave breaker "+m.chosen().id+" to itself on", "", "breaker", "auto", m.chosen().id)
		}},
		{keys: []string{"t"}, label: "t", help: "trip", kinds: []itemKind{itemBreaker}, write: true, foot: true, runFunc: (*model).askTrip},
		{keys: []string{"s"}, label: "s", help: "set the limit", kinds: []itemKind{itemLimit}, write: true, foot: true, runFunc: (*model).askLimit},
		{keys: []string{"u"}, label: "u", help: "unset the limit", kinds: []itemKind{itemLimit}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("unset limit "+m.chosen().id+" on", "", "limiter", "unset", m.chosen().id)
		}},
		{keys: []string{"b"}, label: "b", help: "block an address", kinds: []itemKind{itemLimit, itemClient}, write: true, foot: true, runFunc: (*model).askBlock},
		{keys: []string{"u"}, label: "u", help: "unblock", kinds: []itemKind{itemBlock}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("unblock "+m.chosen().id+" on", "", "limiter", "unblock", m.chosen().id)
		}},
		{keys: []string{"r"}, label: "r", help: "run it now", kinds: []itemKind{itemJob}, write: true, foot: true, runFunc: func(m *model) tea.Cmd {
			return m.propose("run", "("+m.chosen().id+")", "jobs", "run", m.chosen().id)
		}},
	}
}

// bulk retries or discards the marked alerts, the one under the cursor, or the
// cause under it.
func bulk(verb string) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		it := m.subject()
		if it.kind == itemCause {
			if it.id == "" {
				m.notice = &notice{"these have no common cause: press enter and choose alerts", toneWarn}
				return nil
			}
			return m.propose(verb, "(cause "+it.id+")", "dlq", verb, "--fingerprint", it.id)
		}
		ids := []string{it.id}
		if marked := m.top().marked; len(marked) > 0 {
			ids = nil
			for _, id := range slices.Sorted(maps.Keys(marked)) {
				ids = append(ids, strconv.FormatInt(id, 10))
			}
		}
		about := "(id " + strings.Join(ids[:min(len(ids), 5)], ", ") + ")"
		return m.propose(verb, about, append([]string{"dlq", verb}, ids...)...)
	}
}

// whole retries or discards everything that the list's filter matches, on all of
// its pages.
func whole(verb string) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		args := filterArgs(m.top().filter)
		return m.propose(verb, "("+strings.Join(args, " ")+")", append([]string{"dlq", verb}, args...)...)
	}
}

// filterArgs is a filter as flags of the runbook.
func filterArgs(f chatops.AlertFilter) []string {
	var args []string
	add := func(flag string, values ...string) {
		if value := strings.Join(values, ","); value != "" {
			args = append(args, flag, value)
		}
	}
	statuses := make([]string, len(f.Statuses))
	for i, s := range f.Statuses {
		statuses[i] = string(s)
	}
	if len(statuses) == 0 {
		statuses = []string{"all"}
	}
	add("--status", statuses...)
	add("--type", f.Types...)
	add("--target", f.Targets...)
	add("--fingerprint", f.Fingerprint)
	add("--error", f.Error)
	return args
}

func alertID(it item) int64 {
	id, _ := strconv.ParseInt(it.id, 10, 64) // made from a number
	return id
}

// askTrip asks how long a breaker is to stay open.
func (m *model) askTrip() tea.Cmd {
	name := m.chosen().id
	m.ask("trip "+name+" for (empty: until told)", "10m", func(m *model, typed string) tea.Cmd {
		return m.propose("trip breaker "+name+" on", forWords(typed), append([]string{"breaker", "trip", name}, forArgs(typed)...)...)
	})
	return nil
}

// askLimit asks for a limit's value.
func (m *model) askLimit() tea.Cmd {
	name, value := m.chosen().id, ""
	if f := m.picture.fleet; f != nil {
		l := f.Limit(name)
		value = l.Value
	}
	m.ask("set "+name+" to (add: for 30m)", value, func(m *model, typed string) tea.Cmd {
		value, lasts, _ := strings.Cut(typed, " for ")
		args := append([]string{"limiter", "set", name, strings.TrimSpace(value)}, forArgs(lasts)...)
		return m.propose("set limit "+name+" to "+strings.TrimSpace(value)+" on", forWords(lasts), args...)
	})
	return nil
}

// askBlock asks which address to block, and for how long.
func (m *model) askBlock() tea.Cmd {
	initial := ""
	if it := m.chosen(); it.kind == itemClient {
		initial = it.id + " for 1h"
	}
	m.ask("block", initial, func(m *model, typed string) tea.Cmd {
		network, lasts, _ := strings.Cut(typed, " for ")
		network = strings.TrimSpace(network)
		return m.propose("block "+network+" on", forWords(lasts), append([]string{"limiter", "block", network}, forArgs(lasts)...)...)
	})
	return nil
}

func forArgs(lasts string) []string {
	if lasts = strings.TrimSpace(lasts); lasts == "" {
		return nil
	}
	return []string{"--for", lasts}
}

func forWords(lasts string) string {
	if lasts = strings.TrimSpace(lasts); lasts == "" {
		return ""
	}
	return "for " + lasts
}

// showing is the command of the runbook that shows what the screen shows.
func (m *model) showing() []string {
	switch it, s := m.subject(), m.top(); {
	case s.kind == screenAlerts && it.kind != itemAlert:
		return append([]string{"dlq", "list"}, filterArgs(s.filter)...)
	case it.kind == itemAlert:
		return []string{"dlq", "show", it.id}
	case it.kind == itemCause && it.id != "":
		return []string{"dlq", "list", "--fingerprint", it.id}
	case it.kind == itemBreaker:
		return []string{"breaker", "status", it.id}
	case it.kind == itemJob:
		return []string{"jobs", "list", it.id}
	case it.kind == itemLimit || it.kind == itemClient || it.kind == itemBlock:
		return []string{"limiter", "status"}
	case it.kind == itemQueue:
		return []string{"dlq", "stats"}
	}
	return []string{"dashboard", "--once"}
}

// commandLine is a command as it is typed in a shell.
func commandLine(args []string) string {
	quoted := []string{"chatops"}
	for _, a := range args {
		if a == "" || strings.Trim(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,=@+%") != "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted = append(quoted, a)
	}
	return strings.Join(quoted, " ")
}
