package numfmt

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// moment is a serial number taken apart. Serial 60 of the 1900 system is
// 1900-02-29, a day that never was and that Excel shows.
type moment struct {
	year, month, day int
	weekday          int
	ms               int64 // of the day
}

const dayMillis = 86_400_000

// split takes a serial number apart. The clock is rounded to the part of a
// second that is shown, as Excel does, and may so reach the next day.
func (s *section) split(v float64, date1904 bool) moment {
	days := math.Floor(v)
	unit := int64(1000)
	for range s.decimals {
		unit /= 10
	}
	ms := int64(math.Round((v-days)*dayMillis/float64(unit))) * unit
	if !s.clock {
		ms = 0
	}
	if ms >= dayMillis {
		ms -= dayMillis
		days++
	}
	m := moment{ms: ms}
	serial := int(days)
	switch {
	case date1904:
		serial += days1904
	case serial == 60:
		m.year, m.month, m.day, m.weekday = 1900, 2, 29, int(time.Wednesday)
		return m
	case serial == 0:
		m.year, m.month, m.day, m.weekday = 1900, 1, 0, int(time.Saturday)
		return m
	case serial < 60:
		serial++
	}
	t := time.Date(1899, 12, 30+serial, 0, 0, 0, 0, time.UTC)
	m.year, m.month, m.day, m.weekday = t.Year(), int(t.Month()), t.Day(), int(t.Weekday())
	if !date1904 && serial <= 60 {
		m.weekday = (m.weekday + 6) % 7 // Excel's week before the invented day
	}
	return m
}

// appendDate shows v as a date, a time or a duration; as General where it is
// none, where Excel fills the cell with hashes.
func (s *section) appendDate(dst []byte, v float64, date1904 bool) []byte {
	if s.elapsed && v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	last := float64(lastSerial)
	if date1904 {
		last -= days1904
	}
	if v < 0 || v >= last {
		return AppendGeneral(dst, v)
	}
	from := len(dst)
	m := s.split(v, date1904)
	for i := range s.tokens {
		switch t := &s.tokens[i]; t.kind {
		case tokYear:
			dst = appendYear(dst, m.year, t.n)
		case tokBuddhist:
			dst = appendYear(dst, m.year+543, t.n)
		case tokMonth:
			dst = s.lang.appendMonth(dst, m.month, t.n)
		case tokDay:
			dst = s.lang.appendDay(dst, m, t.n)
		case tokHour:
			h := int(m.ms / 3_600_000)
			if s.half {
				h = (h+11)%12 + 1
			}
			dst = appendPadded(dst, int64(h), min(t.n, 2))
		case tokMinute:
			dst = appendPadded(dst, m.ms/60_000%60, min(t.n, 2))
		case tokSecond:
			dst = appendPadded(dst, m.ms/1000%60, min(t.n, 2))
		case tokSubsec:
			part := m.ms % 1000
			for range 3 - t.n {
				part /= 10
			}
			dst = appendPadded(append(dst, '.'), part, t.n)
		case tokElapsed:
			dst = appendPadded(dst, s.total(v, t.text), t.n)
		case tokHalf:
			dst = appendHalf(dst, t.text, m.ms < dayMillis/2)
		case tokLiteral:
			dst = append(dst, t.text...)
		case tokPad:
			dst = append(dst, padding)
		}
	}
	return unpad(dst, from)
}

// total is the duration v in whole units.
func (s *section) total(v float64, unit string) int64 {
	per := int64(1)
	for range s.decimals {
		per *= 10
	}
	ticks := int64(math.Round(v * 86_400 * float64(per)))
	switch unit {
	case "h":
		return ticks / (3600 * per)
	case "m":
		return ticks / (60 * per)
	}
	return ticks / per
}

func appendPadded(dst []byte, n int64, places int) []byte {
	var buf [24]byte
	text := strconv.AppendInt(buf[:0], n, 10)
	for range places - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}

func appendYear(dst []byte, year, letters int) []byte {
	if letters <= 2 {
		return appendPadded(dst, int64(year%100), 2)
	}
	return appendPadded(dst, int64(year), 4)
}

// appendHalf writes the half of the day in the words and the case of the format.
func appendHalf(dst []byte, words string, morning bool) []byte {
	am, pm, _ := strings.Cut(words, "/")
	if len(am) == 2 {
		am, pm = strings.ToUpper(am), strings.ToUpper(pm)
	}
	if morning {
		return append(dst, am...)
	}
	return append(dst, pm...)
}
