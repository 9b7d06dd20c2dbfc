package runbook

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chatops/internal/chatops"
)

// selection is the flags that choose alerts, the same for every dlq command.
type selection struct {
	statuses, types, targets []string
	errorText, fingerprint   string
	since, until             string
	attempts                 int
	ids                      []string

	flags *pflag.FlagSet // where they are registered
}

// register adds the flags. Usual is what --status means when it is not given,
// for the help.
func (s *selection) register(cmd *cobra.Command, usual string) {
	f := cmd.Flags()
	s.flags = f
	f.StringSliceVar(&s.statuses, "status", nil, "status, repeated or with commas, or all (default "+usual+")")
	f.StringSliceVar(&s.types, "type", nil, "event type, such as slack_alert")
	f.StringSliceVar(&s.targets, "target", nil, "target, such as slack:alerts")
	f.StringVar(&s.errorText, "error", "", "text that the error message contains")
	f.StringVar(&s.fingerprint, "fingerprint", "", "cause of the failure")
	f.StringVar(&s.since, "since", "", "created at or after: 24h, 7d, 2026-03-01 or RFC 3339")
	f.StringVar(&s.until, "until", "", "created before")
	f.IntVar(&s.attempts, "attempts", 0, "retried at least this often")
	f.StringSliceVar(&s.ids, "id", nil, "alert id, repeated or with commas")
	names := []string{"all"}
	for _, status := range chatops.AlertStatuses() {
		names = append(names, string(status))
	}
	_ = cmd.RegisterFlagCompletionFunc("status", fixedCompletion(names...))
}

// given reports whether any flag restricts the choice.
func (s *selection) given() bool {
	return len(s.statuses)+len(s.types)+len(s.targets)+len(s.ids) > 0 || s.attempts != 0 ||
		s.errorText+s.fingerprint+s.since+s.until != ""
}

// choosing are the flags that choose alerts, also where not every command has them.
var choosing = []string{"status", "type", "target", "error", "fingerprint", "since", "until", "id", "operation"}

// checkEmpty refuses a flag that was given without a value, as by a script whose
// variable is unset: it would choose everything, which is not what was asked for.
func (s *selection) checkEmpty() error {
	if s.flags == nil {
		return nil
	}
	for _, name := range choosing {
		f := s.flags.Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		values := flagValues(f)
		if len(values) == 0 || slices.Contains(values, "") {
			return hint(chatops.Errorf(chatops.CodeUsage, "--%s is empty: it would leave out no alert", name), "give it a value, or leave it out")
		}
	}
	return nil
}

// filter builds the filter. Usual are the statuses when none were named; an id
// that was named is chosen whatever its status.
func (s *selection) filter(now time.Time, usual []chatops.AlertStatus) (chatops.AlertFilter, error) {
	f := chatops.AlertFilter{Types: s.types, Targets: s.targets, Error: s.errorText, Fingerprint: s.fingerprint, MinAttempts: s.attempts}
	if err := s.checkEmpty(); err != nil {
		return f, err
	}
	var err error
	if f.Statuses, err = parseStatuses(s.statuses, usual); err != nil {
		return f, err
	}
	if len(s.statuses) == 0 && len(s.ids) > 0 {
		f.Statuses = nil
	}
	if f.Since, f.Until, err = parseSpan(s.since, s.until, now); err != nil {
		return f, err
	}
	if s.attempts < 0 {
		return f, chatops.Errorf(chatops.CodeUsage, "--attempts %d: must be 0 or more", s.attempts)
	}
	f.IDs, err = parseIDs(s.ids)
	return f, err
}

// parseStatuses reads the words of --status; nil means all of them.
func parseStatuses(words []string, usual []chatops.AlertStatus) ([]chatops.AlertStatus, error) {
	if len(words) == 0 {
		return usual, nil
	}
	var statuses []chatops.AlertStatus
	for _, word := range words {
		status := chatops.AlertStatus(strings.ToLower(strings.TrimSpace(word)))
		switch {
		case status == "all":
			return nil, nil
		case !slices.Contains(chatops.AlertStatuses(), status):
			return nil, chatops.Errorf(chatops.CodeUsage, "--status %q: must be all or some of %s", word, joinStatuses(chatops.AlertStatuses()))
		case !slices.Contains(statuses, status):
			statuses = append(statuses, status)
		}
	}
	return statuses, nil
}

func joinStatuses(statuses []chatops.AlertStatus) string {
	words := make([]string, len(statuses))
	for i, s := range statuses {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// parseIDs reads alert ids, each once.
func parseIDs(words []string) ([]int64, error) {
	var ids []int64
	for _, word := range words {
		id, err := parseID(word)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// parseID reads one alert id. What cannot be an id at all is a usage error; a
// number that no alert can have, and an id of another kind, is not found.
func parseID(word string) (int64, error) {
	switch digits := strings.TrimPrefix(word, "-"); {
	case strings.HasPrefix(word, "op_"):
		return 0, chatops.Errorf(chatops.CodeNotFound, "%q is an operation, not an alert; see --operation of chatops dlq retry", word)
	case digits == "" || strings.Trim(digits, "0123456789") != "":
		return 0, chatops.Errorf(chatops.CodeUsage, "alert id %q: must be a number", word)
	}
	id, err := strconv.ParseInt(word, 10, 64)
	if err != nil || id <= 0 {
		return 0, chatops.Errorf(chatops.CodeNotFound, "alert %s: not found", word)
	}
	return id, nil
}
