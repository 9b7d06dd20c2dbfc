package chat

import (
	"context"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// repostWindow is how long after a message an identical one of its session
// counts as the same, sent again by a widget that did not want to wait.
const repostWindow = 60 * time.Second

// flights are the messages being answered by this process, so that one that is
// sent again meanwhile waits for the same answer.
type flights struct {
	mu  sync.Mutex
	all map[flightKey]*flight
}

type flightKey struct{ session, text string }

type flight struct {
	begun time.Time
	done  chan struct{}
	reply *chatops.ChatReply // valid once done is closed; nil: it failed
}

// do runs answer unless the same message is being answered already: then it
// returns that answer. One whose first sender failed, perhaps because its client
// has left, is answered anew.
func (f *flights) do(ctx context.Context, k flightKey, now time.Time, answer func() (*chatops.ChatReply, error)) (*chatops.ChatReply, error) {
	for {
		mine, theirs := f.board(k, now)
		if theirs == nil {
			return f.fly(k, mine, answer)
		}
		select {
		case <-theirs.done:
			if theirs.reply != nil {
				copied := *theirs.reply
				return &copied, nil
			}
		case <-ctx.Done():
			return nil, chatops.WrapError(chatops.CodeUnavailable, ctx.Err(), "the conversation is busy; send the message again")
		}
	}
}

func (f *flights) fly(k flightKey, mine *flight, answer func() (*chatops.ChatReply, error)) (*chatops.ChatReply, error) {
	// In the defer, so that a panic leaves nobody waiting.
	defer func() {
		f.mu.Lock()
		if f.all[k] == mine {
			delete(f.all, k)
		}
		f.mu.Unlock()
		close(mine.done)
	}()
	reply, err := answer()
	if err == nil {
		mine.reply = reply
	}
	return reply, err
}

// board returns the flight of the message that is under way, or a new one.
func (f *flights) board(k flightKey, now time.Time) (mine, theirs *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if other, ok := f.all[k]; ok && now.Sub(other.begun) < repostWindow {
		return nil, other
	}
	mine = &flight{begun: now, done: make(chan struct{})}
	if f.all == nil {
		f.all = map[flightKey]*flight{}
	}
	f.all[k] = mine
	return mine, nil
}

// reposted looks for the same message among the turns that others, on this or
// another replica, have stored between the two looks at the conversation: they
// were running when this request came. It returns their answer, or nil.
func (s *Service) reposted(ctx context.Context, first, conv *chatops.Conversation, text string) (*chatops.ChatReply, error) {
	if conv.LastUserMessageAt.Equal(first.LastUserMessageAt) {
		return nil, nil //nolint:nilnil // something else has changed, such as consent
	}
	since := int(min(conv.Version-first.Version, maxAttempts)) * 2 // a turn adds two messages and one version
	list, err := s.opts.Store.Messages(ctx, conv.SessionID, since)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(list); i++ {
		if list[i].Sender != chatops.SenderUser || list[i].Text != text || list[i+1].Sender != chatops.SenderBot {
			continue
		}
		// What was answered is on record; which entries it used is not, and is
		// found again from the message.
		x := s.converse(*conv, text)
		_, sources := x.reply()
		reply := s.replyOf(&x.conv, x.lang, list[i+1].Text, sources)
		reply.NextBestAction = nextAction(conv)
		return reply, nil
	}
	return nil, nil //nolint:nilnil // other messages of the session
}
