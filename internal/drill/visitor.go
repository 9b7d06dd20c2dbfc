package drill

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// visit sends one chat message of a client and returns the status.
func (r *Range) visit(ctx context.Context, client string) (int, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Address+"/api/chatbot/chat", strings.NewReader(`{"message":"cennik"}`))
	if err != nil {
		return 0, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-Forwarded-For", client)
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(q)
	if err != nil {
		return 0, chatops.Errorf(chatops.CodeUnavailable, "drill: the installation does not answer")
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody))
	return answer.StatusCode, nil
}

func limiterStorm() Drill {
	const clients = 6
	return Drill{
		Name:     "limiter-storm",
		Symptom:  "Marketing: a campaign has begun, and visitors report that the chat answers \"too many requests\" at their second question.",
		Settings: map[string]string{"CHAT_RATE_LIMIT": "1 per minute", "TRUSTED_PROXIES": "127.0.0.1"},
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			refused := 0
			for i := range 2 * clients {
				status, err := r.visit(ctx, fmt.Sprintf("203.0.113.%d", i/2+1))
				if err != nil {
					return "", err
				}
				if status == http.StatusTooManyRequests {
					refused++
				}
			}
			if refused != clients {
				return "", chatops.Errorf(chatops.CodeInternal, "drill: %d of %d visitors were refused", refused, clients)
			}
			// What is refused is seen with the next heartbeat.
			return "", await(ctx, "a report of refusals", func() (bool, error) {
				list, err := r.Store.Instances(ctx)
				f := chatops.Fleet{Controls: &chatops.Controls{}, Replicas: list}
				l := f.Limit("chat")
				return l.Denied >= clients, err
			})
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			c, err := r.Store.Controls(ctx)
			if err != nil {
				return "", err
			}
			if len(c.Overrides) == 0 {
				return "visitors are refused at their second question", nil
			}
			status, err := r.visit(ctx, "203.0.113.1")
			if status == http.StatusTooManyRequests {
				return "the visitor 203.0.113.1 is still refused", err
			}
			return "", err
		},
	}
}

func redisLoss() Drill {
	return Drill{
		Name:    "redis-loss",
		Symptom: "Monitoring: /api/health/deep says \"degraded\" since a minute ago. Visitors notice nothing.",
		Redis:   true,
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			if err := r.backend(ctx, "redis"); err != nil {
				return "", err
			}
			r.redis.end(ctx)
			return "It was started with: redis-server --port $REDIS_PORT --save '' --daemonize yes", r.backend(ctx, "local")
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			if _, err := r.visit(ctx, "203.0.113.1"); err != nil {
				return "", err
			}
			list, err := r.Store.Instances(ctx)
			if err != nil || len(list) == 1 && list[0].Report.Limiter.Backend == "redis" {
				return "", err
			}
			return "the replica counts without Redis", nil
		},
	}
}

// backend waits until the installation counts there. It is asked meanwhile: one
// that nobody visits has nothing to count.
func (r *Range) backend(ctx context.Context, want string) error {
	return await(ctx, "counting in "+want, func() (bool, error) {
		if _, err := r.visit(ctx, "203.0.113.1"); err != nil {
			return false, err
		}
		list, err := r.Store.Instances(ctx)
		return len(list) == 1 && list[0].Report.Limiter.Backend == want, err
	})
}
