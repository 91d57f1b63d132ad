package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/entity/value"
	"github.com/dropload/dropload/internal/record"
)

// Suggestion is an option that the sample speaks for, for a person to confirm.
// Nothing is ever read by a suggestion alone.
type Suggestion struct {
	Option string `json:"option"` // as in the JSON of Options: "date_formats", "decimal_mark", "country"
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// Suggest looks how the values of the mapped columns are written: the order of
// day and month where some dates show it, the decimal mark where some numbers
// do, the country of national phone numbers where a column names only one.
// Where the values contradict one another nothing is suggested.
func Suggest(def *entity.Definition, proposals []Proposal, sample [][]string) []Suggestion {
	dates, marks := map[string]string{}, map[string]string{}
	countries := map[string]bool{}
	national := false
	convert, err := value.New(def, value.Options{})
	if err != nil {
		return nil
	}
	for _, p := range proposals {
		name, _, part, err := path(def, p.Field)
		if err != nil {
			continue
		}
		i, f := def.Field(name)
		for _, row := range sample {
			if p.Column >= len(row) || strings.TrimSpace(row[p.Column]) == "" {
				continue
			}
			text := strings.TrimSpace(row[p.Column])
			cell := record.Cell{Kind: record.Text, Text: text}
			switch {
			case f.Type == entity.Date || f.Type == entity.DateTime:
				if format := dateFormat(text); format != "" {
					dates[format] = text
				}
			case f.Type == entity.Integer || f.Type == entity.Decimal || f.Type == entity.Money:
				if mark := decimalMark(text); mark != "" {
					marks[mark] = text
				}
			case f.Type == entity.Phone:
				_, w := convert.Convert(i, cell)
				national = national || w.Code == "phone_country"
			case f.Type == entity.Country, part == "country":
				if code, w := convert.Part("country", cell); w.Code == "" {
					countries[code] = true
				}
			}
		}
	}
	var all []Suggestion
	for format, text := range dates {
		if len(dates) == 1 {
			all = append(all, Suggestion{"date_formats", format, fmt.Sprintf("“%s” can be read in no other order", text)})
		}
	}
	for mark, text := range marks {
		if len(marks) == 1 {
			all = append(all, Suggestion{"decimal_mark", mark, fmt.Sprintf("“%s” has its decimals behind it", text)})
		}
	}
	for code := range countries {
		if len(countries) == 1 && national {
			all = append(all, Suggestion{"country", code, "phone numbers lack a country code, and every row is of this country"})
		}
	}
	return all
}

// dateFormat is the format of a date with the year last whose order shows: one
// of its first numbers is no month. "" where it does not show.
func dateFormat(text string) string {
	numbers := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '-' })
	if len(numbers) != 3 {
		return ""
	}
	var n [3]int
	for i, s := range numbers {
		v, err := strconv.Atoi(s)
		if err != nil || v < 1 && i < 2 {
			return ""
		}
		n[i] = v
	}
	year := map[int]string{2: "YY", 4: "YYYY"}[len(numbers[2])]
	if year == "" || len(numbers[0]) > 2 || len(numbers[1]) > 2 {
		return ""
	}
	separator := string(text[len(numbers[0])])
	switch {
	case n[0] > 12 && n[0] <= 31 && n[1] <= 12:
		return "DD" + separator + "MM" + separator + year
	case n[1] > 12 && n[1] <= 31 && n[0] <= 12:
		return "MM" + separator + "DD" + separator + year
	}
	return ""
}

// decimalMark is the mark of a number that shows it: the last of two kinds, or
// one that does not stand before three digits.
func decimalMark(text string) string {
	text = strings.TrimFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
	at := strings.LastIndexAny(text, ".,")
	if at < 0 {
		return ""
	}
	mark, other := text[at:at+1], "."
	if mark == "." {
		other = ","
	}
	if strings.Count(text, mark) > 1 || len(text)-at-1 == 3 && !strings.Contains(text, other) {
		return ""
	}
	return mark
}
