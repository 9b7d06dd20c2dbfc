package runbook

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type followupList struct {
	conversation int64
	status       string
	limit        int
}

// newFollowupList makes `followup list`.
func newFollowupList(env *Env) *cobra.Command {
	c := &followupList{}
	cmd := &cobra.Command{
		Use: "list", Short: "List follow-ups that were planned or sent, newest first", Args: noArgs,
		Long: "List follow-ups, newest first. An uncertain one may have been sent: the answer of\n" +
			"the mail server was lost, or the process that sent it died. It is sent again only\n" +
			"when its alert is named: chatops dlq retry ID.",
		Example: "  chatops followup list\n  chatops followup list --status uncertain\n  chatops followup list --conversation 4711 -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().Int64Var(&c.conversation, "conversation", 0, "only those of one conversation")
	cmd.Flags().StringVar(&c.status, "status", "", "only those of a status: "+strings.Join(followupStatuses(), ", "))
	cmd.Flags().IntVar(&c.limit, "limit", 50, "follow-ups to show, 1 to 1000")
	_ = cmd.RegisterFlagCompletionFunc("status", fixedCompletion(followupStatuses()...))
	return cmd
}

func followupStatuses() []string {
	var words []string
	for _, s := range chatops.FollowupStatuses() {
		words = append(words, string(s))
	}
	return words
}

// followupItem is a follow-up as lists show it.
type followupItem struct {
	ID             int64                  `json:"id"`
	ConversationID int64                  `json:"conversation_id"`
	Number         int                    `json:"followup_number"`
	Status         chatops.FollowupStatus `json:"status"`
	SentAt         timestamp              `json:"sent_at"`
	AlertID        *int64                 `json:"alert_id"` // null: an older program sent it
}

// followupPage is the result of `followup list`.
type followupPage struct {
	Items []followupItem `json:"items"`
}

func (c *followupList) run(ctx context.Context, env *Env) error {
	status := chatops.FollowupStatus(c.status)
	if err := checkLimit(c.limit); err != nil {
		return err
	}
	switch {
	case c.status != "" && !status.Valid():
		return chatops.Errorf(chatops.CodeUsage, "--status %q: must be one of %s", c.status, strings.Join(followupStatuses(), ", "))
	case c.conversation < 0:
		return chatops.Errorf(chatops.CodeUsage, "--conversation %d: must be the number of a conversation", c.conversation)
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	list, err := store.Followups(ctx, c.conversation, status, c.limit)
	if err != nil {
		return unreachable(cfg, err)
	}
	page := &followupPage{Items: make([]followupItem, len(list))}
	for i := range list {
		f := &list[i]
		page.Items[i] = followupItem{
			ID: f.ID, ConversationID: f.ConversationID, Number: f.Number, Status: f.Status, SentAt: timestamp(f.SentAt),
		}
		if f.AlertID != 0 {
			page.Items[i].AlertID = &f.AlertID
		}
	}
	if len(list) == 0 && env.OutTTY {
		env.notef("no follow-ups match")
	}
	return env.render(page)
}

func (p *followupPage) elements() []any { return pointers(p.Items) }

// followupColor is the colour of a follow-up's status on a terminal.
func followupColor(status string) string {
	return map[chatops.FollowupStatus]string{
		chatops.FollowupQueued: "cyan", chatops.FollowupSending: "cyan", chatops.FollowupSent: "green",
		chatops.FollowupUncertain: "yellow", chatops.FollowupFailed: "red",
	}[chatops.FollowupStatus(status)]
}

func (p *followupPage) sections(bool) []section {
	s := section{columns: []column{
		{name: "id", right: true, whole: true}, {name: "conversation", right: true}, {name: "number", right: true},
		{name: "status", colorFunc: followupColor}, {name: "sent_at"}, {name: "alert", right: true},
	}}
	for i := range p.Items {
		f := &p.Items[i]
		alert := ""
		if f.AlertID != nil {
			alert = strconv.FormatInt(*f.AlertID, 10)
		}
		s.rows = append(s.rows, []string{
			strconv.FormatInt(f.ID, 10), strconv.FormatInt(f.ConversationID, 10), strconv.Itoa(f.Number), string(f.Status),
			f.SentAt.short(), alert,
		})
	}
	return []section{s}
}
