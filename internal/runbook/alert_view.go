package runbook

import (
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// alertItem is an alert as lists show it.
type alertItem struct {
	ID            int64               `json:"id"`
	EventType     string              `json:"event_type"`
	Target        string              `json:"target"`
	Status        chatops.AlertStatus `json:"status"`
	RetryCount    int                 `json:"retry_count"`
	MaxRetries    int                 `json:"max_retries"`
	ErrorMessage  string              `json:"error_message"`
	Fingerprint   string              `json:"fingerprint"`
	CreatedAt     timestamp           `json:"created_at"`
	LastAttemptAt timestamp           `json:"last_attempt_at"`
	NextAttemptAt timestamp           `json:"next_attempt_at"`
	DeliveredAt   timestamp           `json:"delivered_at"`
}

// viewAlert makes the view of an alert. The next attempt of an alert that is
// not waiting means nothing and is left out.
func viewAlert(a *chatops.Alert, maxRetries int) alertItem {
	next := a.NextAttemptAt
	if a.Status != chatops.AlertQueued && a.Status != chatops.AlertPending {
		next = time.Time{}
	}
	return alertItem{
		ID: a.ID, EventType: a.EventType, Target: chatops.ShownTarget(a.Target), Status: a.Status,
		RetryCount: a.RetryCount, MaxRetries: maxRetries,
		ErrorMessage: a.ErrorMessage, Fingerprint: a.Fingerprint,
		CreatedAt: timestamp(a.CreatedAt), LastAttemptAt: timestamp(a.LastAttemptAt),
		NextAttemptAt: timestamp(next), DeliveredAt: timestamp(a.DeliveredAt),
	}
}

func (a *alertItem) retries() string {
	return strconv.Itoa(a.RetryCount) + "/" + strconv.Itoa(a.MaxRetries)
}

// statusColor is the colour of a status on a terminal.
func statusColor(status string) string {
	return map[chatops.AlertStatus]string{
		chatops.AlertQueued: "cyan", chatops.AlertPending: "yellow", chatops.AlertFailed: "red", chatops.AlertDelivered: "green",
	}[chatops.AlertStatus(status)]
}

// attemptView is one try to deliver an alert.
type attemptView struct {
	StartedAt  timestamp `json:"started_at"`
	DurationMS float64   `json:"duration_ms"`
	Outcome    string    `json:"outcome"`
	HTTPStatus *int      `json:"http_status"` // null without a reply
	Error      string    `json:"error"`
	Replica    string    `json:"replica"`
}

func viewAttempts(attempts []chatops.Attempt) []attemptView {
	views := make([]attemptView, len(attempts))
	for i, a := range attempts {
		views[i] = attemptView{
			StartedAt: timestamp(a.StartedAt), DurationMS: float64(a.Duration.Microseconds()) / 1000,
			Outcome: a.Outcome, Error: a.Error, Replica: a.Replica,
		}
		if a.HTTPStatus != 0 {
			views[i].HTTPStatus = &attempts[i].HTTPStatus
		}
	}
	return views
}
