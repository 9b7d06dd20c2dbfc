package drill

import (
	"context"
	"fmt"
	"time"

	"chatops/internal/chatops"
)

// fairForm is the form of which the CRM takes nothing any more.
const fairForm = "autumn-fair"

// queueCRM queues leads of a form for the CRM.
func (r *Range) queueCRM(ctx context.Context, n int, form string) error {
	return r.queue(ctx, n, form, chatops.EventWebhook, targetCRM, func(i int) any {
		return chatops.WebhookPayload{
			Type: "lead.created", Timestamp: time.Now().UTC().Format(time.RFC3339),
			Data: map[string]any{"form": form, "number": i + 1},
		}
	})
}

// failed waits until so many alerts have failed.
func (r *Range) failed(ctx context.Context, want int64) error {
	return await(ctx, "the failure of alerts", func() (bool, error) {
		n, err := r.statuses(ctx, chatops.AlertFailed)
		return n == want, err
	})
}

func manyCauses() Drill {
	const onSlack, contacts, fair = 6, 3, 4
	return Drill{
		Name: "many-causes",
		Symptom: "Monitoring: a number of alerts failed last night. Slack and the CRM had an outage and work again. " +
			"The CRM's people also say that the autumn fair is over: they have closed its form and need nothing of it.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.crm.closeForm(fairForm)
			if err := r.queueCRM(ctx, fair, fairForm); err != nil {
				return "", err
			}
			if err := r.failed(ctx, fair); err != nil {
				return "", err
			}
			r.slack.fail(true)
			defer r.slack.fail(false)
			r.crm.fail(true)
			defer r.crm.fail(false)
			if err := r.queueSlack(ctx, onSlack); err != nil {
				return "", err
			}
			if err := r.queueCRM(ctx, contacts, "contact"); err != nil {
				return "", err
			}
			return "", r.failed(ctx, onSlack+contacts+fair)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			stats, err := r.Store.QueueStats(ctx)
			if err != nil {
				return "", err
			}
			posts, twice := r.slack.got()
			leads, twiceLeads := r.crm.got()
			discarded := stats.Total(chatops.AlertDiscarded)
			switch {
			case discarded > fair:
				return "", spoilt("%d alerts were discarded, and not all of them were useless", discarded)
			case twice+twiceLeads > 0:
				return "", spoilt("%s came twice", chatops.Count(twice+twiceLeads, "alert"))
			case posts < onSlack || leads < contacts:
				return fmt.Sprintf("%d of %d alerts arrived", posts+leads, onSlack+contacts), nil
			}
			if open := stats.Total(chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed); open > 0 {
				return chatops.Count(open, "alert") + " that nobody will ever take, still there", nil
			}
			return "", nil
		},
	}
}

func slowReceiver() Drill {
	const leads = 30
	return Drill{
		Name: "slow-receiver",
		Symptom: "Sales: the CRM lacks the leads of the night. It was away and is back; its people ask for no more than ten leads a second, " +
			"or it falls over once more.",
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.crm.fail(true)
			defer r.crm.fail(false)
			r.crm.slow()
			if err := r.queueCRM(ctx, leads, "contact"); err != nil {
				return "", err
			}
			return "", r.failed(ctx, leads)
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			left, err := r.undelivered(ctx, &r.crm.receiver, leads)
			if falls := r.crm.falls(); left != "" && falls > 0 {
				left += ", and the CRM fell over"
			}
			return left, err
		},
	}
}

// city is where the visitor lives whose lead is refused.
const city = "Gdańsk"

func refusedPayload() Drill {
	cities := []string{"Kraków", "Gdnask", "Warszawa"}
	return Drill{
		Name: "refused-payload",
		Symptom: "Sales: of the three leads of this morning, one is not on the board. It is a lady from " + city +
			", who has just telephoned. The board knows the cities " + city + ", Kraków and Warszawa.",
		Settings: map[string]string{"DLQ_EDIT": "true", "MONDAY_COLUMNS": "city=city:dropdown"},
		breakFunc: func(ctx context.Context, r *Range) (string, error) {
			r.monday.choose(city, "Kraków", "Warszawa")
			err := r.queue(ctx, len(cities), "monday", chatops.EventMondayItem, chatops.TargetMondayLeads, func(i int) any {
				return chatops.MondayPayload{
					ItemName: fmt.Sprintf("Lead %d", i+1), ExternalID: fmt.Sprintf("drill-%d", i), Fields: map[string]string{"city": cities[i]},
				}
			})
			if err != nil {
				return "", err
			}
			return "", await(ctx, "the two other leads", func() (bool, error) {
				n, err := r.statuses(ctx, chatops.AlertFailed)
				once, _ := r.monday.got()
				return n == 1 && once == len(cities)-1, err
			})
		},
		leftFunc: func(ctx context.Context, r *Range) (string, error) {
			open, err := r.statuses(ctx, chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed)
			once, twice := r.monday.got()
			switch {
			case err != nil:
				return "", err
			case twice > 0 || once > len(cities):
				return "", spoilt("the board has a lead twice")
			case open > 0:
				return "the lead is not on the board", nil
			case once < len(cities):
				return "", spoilt("the lead was given up: nobody will call the lady")
			case r.monday.in(city) != 1:
				return "", spoilt("the lead is on the board, with another city than hers")
			}
			return "", nil
		},
	}
}
