package drill

import (
	"context"
	"net/http"
	"time"

	"chatops/internal/chatops"
)

func serveRefuses() Drill {
	return Drill{
		Name:     "serve-refuses",
		Symptom:  "Website: the chat is away since the upgrade of this morning. The service manager begins it again and again, and notes the line below; its log is the file service.log.",
		Settings: map[string]string{"ESCALATION_EMAIL": "oncall@firma.example", "CONSENT_KEYS": newKey()},
		Postgres: true,
		Before:   []string{"chatops migrate up", "chatops migrate down"}, // the database as the version before left it
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			err := await(ctx, "the end of the service", func() (bool, error) {
				_, err := r.ServingFunc()
				return err != nil, nil
			})
			if _, why := r.ServingFunc(); err == nil && chatops.ErrorCode(why) != chatops.CodeFinding {
				return "", why
			}
			return "chatops.service: main process exited, code=exited, status=4\n", err
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			address, err := r.ServingFunc()
			if address == "" {
				if err != nil {
					return "the service does not start: " + chatops.ErrorMessage(err), nil
				}
				return "the service does not start", nil
			}
			if !ready(ctx, address) {
				return "the service is not ready", nil
			}
			return "", nil
		},
	}
}

// ready asks an installation whether it is.
func ready(ctx context.Context, address string) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := (&http.Client{Timeout: time.Second}).Do(q)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
