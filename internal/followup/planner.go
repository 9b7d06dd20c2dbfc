package followup

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"chatops/internal/chatops"
)

// pageSize is how many due follow-ups are read at once.
const pageSize = 200

// Store is what a Planner needs of a store.
type Store interface {
	DueFollowups(ctx context.Context, q chatops.DueQuery) ([]chatops.DueFollowup, error)
	PlanFollowup(ctx context.Context, p *chatops.FollowupPlan) (planned bool, err error)
}

// Options of a Planner.
type Options struct {
	Store    Store
	Schedule []time.Duration
	// TextFunc writes a follow-up.
	TextFunc func(language, name string, number int) Text
	// KeyFunc normalises an address; false: no mail can go there.
	KeyFunc func(address string) (emailKey string, ok bool)
	// LinkFunc returns the link that ends the mails to an address.
	LinkFunc func(emailKey string) string
	// WakeFunc tells the delivery that mails were queued; nil: nobody is told.
	WakeFunc func()
	Log      *slog.Logger // nil: silent
}

// Planner plans what is due.
type Planner struct{ o Options }

// New makes a Planner.
func New(o Options) *Planner {
	if o.WakeFunc == nil {
		o.WakeFunc = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Planner{o}
}

// tally counts what a run has done.
type tally struct{ planned, skipped, failed int }

func (t tally) String() string { return fmt.Sprintf("planned %d, skipped %d", t.planned, t.skipped) }

// Run plans everything that is due now and says in a line what it did: planned,
// and skipped because somebody else was faster, consent was withdrawn meanwhile
// or the address cannot be used. One that cannot be stored does not keep the
// others from their mails; the error is the first. Without the database it ends.
func (p *Planner) Run(ctx context.Context) (result string, err error) {
	var t tally
	q := chatops.DueQuery{Schedule: p.o.Schedule, Limit: pageSize}
	for len(q.Schedule) > 0 {
		page, pageErr := p.o.Store.DueFollowups(ctx, q)
		if pageErr != nil {
			return t.String(), pageErr
		}
		for i := range page {
			planErr := p.plan(ctx, &page[i], &t)
			if err == nil {
				err = planErr
			}
			if code := chatops.ErrorCode(planErr); code == chatops.CodeUnavailable || ctx.Err() != nil {
				return t.String(), err
			}
			q.After = page[i].Cursor()
		}
		if len(page) < q.Limit {
			break
		}
	}
	if t.failed > 0 {
		return t.String(), chatops.Errorf(chatops.CodePartial, "plan follow-ups: %d could not be stored, the first because: %w", t.failed, err)
	}
	return t.String(), nil
}

// plan plans one follow-up.
func (p *Planner) plan(ctx context.Context, due *chatops.DueFollowup, t *tally) error {
	key, ok := p.o.KeyFunc(due.Email)
	if !ok {
		t.skipped++
		return nil
	}
	made, err := p.write(due, key)
	if err != nil {
		t.failed++
		return err
	}
	planned, err := p.o.Store.PlanFollowup(ctx, made)
	switch {
	case err != nil:
		t.failed++
		p.o.Log.Warn("follow-up was not planned", "conversation", due.ConversationID, "number", due.Number, "err", err)
		return err
	case planned:
		t.planned++
		p.o.WakeFunc()
	default:
		t.skipped++
	}
	return nil
}

// write makes the plan of a follow-up: its text and its mail.
func (p *Planner) write(due *chatops.DueFollowup, key string) (*chatops.FollowupPlan, error) {
	text := p.o.TextFunc(due.Language, due.Name, due.Number)
	link := p.o.LinkFunc(key)
	payload, err := json.Marshal(chatops.EmailPayload{
		To: due.Email, Subject: text.Subject, Text: text.plain(link), HTML: text.html(due.Language, link), Unsubscribe: link,
	})
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInternal, err, "follow-up cannot be written")
	}
	return &chatops.FollowupPlan{
		ConversationID: due.ConversationID, Number: due.Number, Schedule: p.o.Schedule,
		Email: due.Email, Message: text.Body,
		Mail: chatops.NewAlert{
			EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: payload,
			IdempotencyKey: fmt.Sprintf("followup:%d:%d", due.ConversationID, due.Number),
		},
	}, nil
}
