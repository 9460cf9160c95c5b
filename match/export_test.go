package match

var (
	Upper = upper
	Lower = lower
)
