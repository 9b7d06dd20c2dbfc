package chat

import "chatops/internal/chatops"

// The worth of each fact for the sales team; they add up to 100. The table is
// explained in the package documentation.
const (
	scoreName    = 10
	scoreEmail   = 15
	scorePhone   = 20
	scoreCity    = 10
	scoreArea    = 15
	scorePackage = 12
	scoreBudget  = 10
	scoreBooking = 8
)

// Score rates a lead from 0 to 100 by what is known. Knowing more never lowers
// it.
func Score(f *chatops.Facts) int {
	n := 0
	add := func(known bool, worth int) {
		if known {
			n += worth
		}
	}
	add(f.Name != "", scoreName)
	add(f.Email != "", scoreEmail)
	add(f.Phone != "", scorePhone)
	add(f.City != "", scoreCity)
	add(f.SquareMeters > 0, scoreArea)
	add(f.Package != "", scorePackage)
	add(f.Budget > 0, scoreBudget)
	add(f.BookingIntent, scoreBooking)
	return n
}
