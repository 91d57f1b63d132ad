// Package value turns the cells of a file into the canonical values of an
// entity's fields, or says by a stable code why it cannot.
//
// It never guesses: what may mean two things is a problem. A blank cell is the
// empty value and never a problem. A Converter holds no state that changes and
// may be used from several goroutines.
package value

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/record"
)

// Options say how the cells of a file are written. The zero value takes only
// what means one thing everywhere.
type Options struct {
	Country     string   // ISO 3166-1 alpha-2 or a name, of national phone numbers
	Language    string   // whose words win where languages differ
	DateFormats []string // see Layout
	DecimalMark string   // "." or ","
	Separator   string   // of lists; "" is ";", "|" or a line end
	ClearMark   string   // "" is "<clear>"
	TimeZone    string   // IANA name of times without a zone; "" is UTC
	Currencies  []string // further codes that are a currency here
}

// Wrong is a problem with a cell; Code "" is none.
type Wrong struct {
	Code string
	Args []string
}

func wrong(code string, args ...string) Wrong { return Wrong{Code: code, Args: args} }

// Converter converts the cells of one entity's fields.
type Converter struct {
	def     *entity.Definition
	options Options
	clear   string
	zone    *time.Location
	layouts []layout
	words   []map[string]string // by field: folded words of choices and booleans
	names   func() *names
	months  map[string]int
}

// New makes a converter. It refuses options that mean nothing: an unknown
// country, date format or time zone.
func New(def *entity.Definition, o Options) (*Converter, error) {
	c := &Converter{def: def, options: o, clear: o.ClearMark, zone: time.UTC}
	if c.clear == "" {
		c.clear = "<clear>"
	}
	c.names = sync.OnceValue(loadNames)
	c.options.Country = strings.ToUpper(strings.TrimSpace(o.Country))
	if phonenumbers.GetCountryCodeForRegion(c.options.Country) == 0 && c.options.Country != "" {
		c.options.Country, _ = c.names().country(o.Country) // its name, or a code such as UK
		if c.options.Country == "" {
			return nil, fmt.Errorf("value: there is no country %q", o.Country)
		}
	}
	if c.options.Country != "" && phonenumbers.GetCountryCodeForRegion(c.options.Country) == 0 {
		return nil, fmt.Errorf("value: there is no country %q", o.Country)
	}
	if o.DecimalMark != "" && o.DecimalMark != "." && o.DecimalMark != "," {
		return nil, fmt.Errorf("value: the decimal mark is %q, want . or ,", o.DecimalMark)
	}
	if o.TimeZone != "" {
		zone, err := time.LoadLocation(o.TimeZone)
		if err != nil {
			return nil, fmt.Errorf("value: there is no time zone %q", o.TimeZone)
		}
		c.zone = zone
	}
	for _, format := range o.DateFormats {
		l, err := parseLayout(format)
		if err != nil {
			return nil, err
		}
		c.layouts = append(c.layouts, l)
	}
	vocabulary, err := loadVocabulary()
	if err != nil {
		return nil, err
	}
	c.months = vocabulary.months(o.Language)
	c.words = make([]map[string]string, len(def.Fields))
	for i := range def.Fields {
		switch f := &def.Fields[i]; f.Type {
		case entity.Choice:
			c.words[i] = choiceWords(f, o.Language)
		case entity.Boolean:
			c.words[i] = vocabulary.booleans()
		}
	}
	return c, nil
}

// Convert is the canonical value of a cell for the field at this position. A
// reference comes back as the text that names a record.
func (c *Converter) Convert(index int, cell record.Cell) (record.Value, Wrong) {
	f := &c.def.Fields[index]
	if f.Type == entity.Secret || cell.Kind == record.Empty {
		return record.Value{}, Wrong{}
	}
	if cell.Kind == record.Error {
		return record.Value{}, wrong("cell_error", cell.Text)
	}
	if cell.Kind == record.Text {
		cell.Text = clean(cell.Text)
		if cell.Text == "" {
			return record.Value{}, Wrong{}
		}
		if cell.Text[0] == c.clear[0] && strings.EqualFold(cell.Text, c.clear) {
			return record.Value{Clear: true}, Wrong{}
		}
	}
	if !f.List || f.Type == entity.Address {
		text, w := c.single(index, f, cell)
		if f.List && text != "" {
			return record.Value{List: []string{text}}, w
		}
		return record.Value{Text: text}, w
	}
	return c.list(index, f, cell)
}

func (c *Converter) list(index int, f *entity.Field, cell record.Cell) (record.Value, Wrong) {
	if cell.Kind != record.Text {
		text, w := c.single(index, f, cell)
		if w.Code != "" || text == "" {
			return record.Value{}, w
		}
		return record.Value{List: []string{text}}, Wrong{}
	}
	var list []string
	for _, item := range c.items(cell.Text) {
		text, w := c.single(index, f, record.Cell{Kind: record.Text, Text: item})
		if w.Code != "" {
			return record.Value{}, w
		}
		folded := entity.Fold(f, text)
		if text != "" && !slices.ContainsFunc(list, func(s string) bool { return entity.Fold(f, s) == folded }) {
			list = append(list, text)
		}
	}
	return record.Value{List: list}, Wrong{}
}

// items splits a cell that holds a list.
func (c *Converter) items(s string) []string {
	var items []string
	if c.options.Separator != "" {
		items = strings.Split(s, c.options.Separator)
	} else {
		items = strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '|' || r == '\n' || r == '\r' })
	}
	for i := range items {
		items[i] = clean(items[i])
	}
	return slices.DeleteFunc(items, func(s string) bool { return s == "" })
}

// single converts one value and checks its length.
func (c *Converter) single(index int, f *entity.Field, cell record.Cell) (string, Wrong) {
	text, w := c.typed(index, f, cell)
	if w.Code != "" {
		return "", w
	}
	if limit := f.MaxLength; len(text) > maxText || limit > 0 && len(text) > limit && utf8.RuneCountInString(text) > limit {
		if limit == 0 {
			limit = maxText
		}
		return "", wrong("text_too_long", strconv.Itoa(limit))
	}
	if f.Unique && len(text) > MaxKey/2 && len(entity.Fold(f, text)) > MaxKey {
		return "", wrong("key_too_long", strconv.Itoa(MaxKey))
	}
	return text, Wrong{}
}

// MaxKey is how many bytes of UTF-8 a key or a unique value may have in its
// compared form.
const MaxKey = 512

// maxText is how much a cell of a spreadsheet program can hold.
const maxText = 32767

func (c *Converter) typed(index int, f *entity.Field, cell record.Cell) (string, Wrong) {
	switch f.Type {
	case entity.Text, entity.Ref:
		return asSeen(cell), Wrong{}
	case entity.Code:
		return code(cell)
	case entity.Email:
		return email(asSeen(cell))
	case entity.Phone:
		return c.phone(cell)
	case entity.Integer:
		return c.integer(cell)
	case entity.Decimal:
		return c.number(cell, false)
	case entity.Money:
		return c.number(cell, true)
	case entity.Date:
		return c.date(cell)
	case entity.DateTime:
		return c.dateTime(cell)
	case entity.Boolean:
		return c.boolean(index, cell)
	case entity.Choice:
		return c.choice(index, f, cell)
	case entity.URL:
		return url(asSeen(cell))
	case entity.Country:
		return c.names().country(asSeen(cell))
	case entity.Currency:
		return c.currency(asSeen(cell))
	case entity.Language:
		return c.names().language(asSeen(cell))
	case entity.Address:
		return c.address(asSeen(cell))
	case entity.Agreement:
		return c.agreement(asSeen(cell)), Wrong{}
	}
	return "", Wrong{}
}

// Part converts a part of an address.
func (c *Converter) Part(part string, cell record.Cell) (string, Wrong) {
	if cell.Kind == record.Error {
		return "", wrong("cell_error", cell.Text)
	}
	text := clean(asSeen(cell))
	if text == "" {
		return "", Wrong{}
	}
	if part == "country" {
		return c.names().country(text)
	}
	if len(text) > maxPart {
		return "", wrong("text_too_long", strconv.Itoa(maxPart))
	}
	return text, Wrong{}
}

// maxPart is how many bytes a part of an address may have.
const maxPart = 1000

// IsClear tells whether a cell holds the clear mark.
func (c *Converter) IsClear(cell record.Cell) bool {
	return cell.Kind == record.Text && strings.EqualFold(clean(cell.Text), c.clear)
}

// asSeen is the text of a cell as a person sees it.
func asSeen(cell record.Cell) string {
	if cell.Text == "" && cell.Kind == record.Number {
		return plain(cell.Number)
	}
	return cell.Text
}

// plain writes a number as a spreadsheet program keeps it: 15 significant
// digits, without exponent.
func plain(n float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 15, 64), 64)
	if err != nil {
		rounded = n
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// clean is entity.Clean with a short way for what needs no cleaning.
func clean(s string) string {
	if s == "" {
		return s
	}
	if first, last := s[0], s[len(s)-1]; first > ' ' && first < utf8.RuneSelf && last > ' ' && last < utf8.RuneSelf {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return entity.Clean(s)
			}
		}
		return s
	}
	return entity.Clean(s)
}

// code is a code as written. A number that a spreadsheet program shows in
// scientific notation is taken whole where its digits are there.
func code(cell record.Cell) (string, Wrong) {
	text := asSeen(cell)
	digits, exponent, ok := scientific(text)
	if !ok {
		return text, Wrong{}
	}
	if cell.Kind == record.Number {
		if n := cell.Number; n == math.Trunc(n) && math.Abs(n) < 1e15 {
			return strconv.FormatFloat(n, 'f', 0, 64), Wrong{}
		}
		return text, Wrong{}
	}
	if exponent < minLost {
		return text, Wrong{}
	}
	if len(digits) != exponent+1 {
		return "", wrong("digits_lost", text)
	}
	return digits, Wrong{}
}

// minLost is the smallest exponent that a spreadsheet program shows of a number
// on its own account: below, the text may be a code of somebody's own.
const minLost = 5

// scientific takes apart what spreadsheet programs write for large numbers:
// "3.70612E+10", with the decimal mark of any language. Digits are those of the
// mantissa.
func scientific(s string) (digits string, exponent int, ok bool) {
	e := strings.LastIndexAny(s, "Ee")
	if e < 1 || len(s) > 40 {
		return "", 0, false
	}
	mantissa, power := s[:e], s[e+1:]
	if !strings.HasPrefix(power, "+") || len(power) < 2 {
		return "", 0, false
	}
	exponent, err := strconv.Atoi(power[1:])
	if err != nil || exponent > 99 {
		return "", 0, false
	}
	for i := range len(mantissa) {
		ch := mantissa[i]
		if i == 1 && (ch == '.' || ch == ',') {
			continue
		}
		if ch < '0' || ch > '9' || i == 1 {
			return "", 0, false
		}
	}
	if len(mantissa) == 2 {
		return "", 0, false
	}
	return mantissa[:1] + strings.TrimPrefix(strings.TrimPrefix(mantissa[1:], "."), ","), exponent, true
}

// shown shortens a value for a message.
func shown(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
