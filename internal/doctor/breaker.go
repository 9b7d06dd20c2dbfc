package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func checkBreakers(ctx context.Context, p *Patient) (Result, error) {
	f, err := fleetOf(ctx, p)
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	closed := 0
	for _, name := range f.BreakerNames() {
		b := f.Breaker(name)
		switch b.State {
		case chatops.StateOpen, chatops.StateForced:
			list = append(list, openBreaker(&b, f.Controls.Now))
		case chatops.StateClosed:
			closed++
		}
	}
	return found(list, fmt.Sprintf("%d closed, none open", closed)), nil
}

// openBreaker words a breaker that is not closed.
func openBreaker(b *chatops.FleetBreaker, now time.Time) Finding {
	name := chatops.Harmless(b.Name)
	live, same, _ := b.Reporting()
	since := ""
	if !b.OpenedAt.IsZero() {
		since = " for " + chatops.Span(now.Sub(b.OpenedAt).Truncate(time.Second))
	}
	if o := b.Order; o != nil && o.Mode == chatops.BreakerTripped {
		cause := "an operator keeps it open"
		if o.Reason != "" {
			cause += ": " + chatops.Harmless(o.Reason)
		}
		end := ", without an end"
		if !o.Until.IsZero() {
			end = ", " + chatops.Span(o.Until.Sub(now).Truncate(time.Second)) + " left"
		}
		return Finding{
			Warning, fmt.Sprintf("%s tripped by %s%s%s", name, chatops.Harmless(o.Actor), since, end), cause,
			"chatops breaker auto " + quote(b.Name) + " --reason 'maintenance is over'",
		}
	}
	text := fmt.Sprintf("%s open on %d of %d replicas%s", name, same, live, since)
	return Finding{Problem, text, chatops.Harmless(b.Reason), "chatops breaker reset " + quote(b.Name) + " --reason " + quote(name+" is back")}
}

// quote makes a word safe to be pasted into a shell.
func quote(word string) string {
	word = chatops.Harmless(word)
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:,") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
