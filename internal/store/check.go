package store

import "fmt"

// CheckKeys refuses keys with an empty part and keys that repeat.
func CheckKeys(keys []Key) error {
	seen := make(map[Key]struct{}, len(keys))
	for _, k := range keys {
		if err := checkKey(k, seen); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(k Key, seen map[Key]struct{}) error {
	if k.PK == "" || k.SK == "" {
		return fmt.Errorf("store: a key with an empty part")
	}
	if len(k.PK) > 2048 || len(k.SK) > 1024 {
		return fmt.Errorf("store: a key is too long")
	}
	if _, dup := seen[k]; dup {
		return fmt.Errorf("store: a key is there twice in one call")
	}
	seen[k] = struct{}{}
	return nil
}

// CheckOps refuses writes that no table takes: keys that repeat, kinds,
// conditions and values that the interface does not know. Every implementation
// calls it before it writes anything.
func CheckOps(ops []Op) error {
	seen := make(map[Key]struct{}, len(ops))
	for i := range ops {
		op := &ops[i]
		if err := checkKey(op.Key, seen); err != nil {
			return err
		}
		if err := op.check(); err != nil {
			return fmt.Errorf("store: write %d: %w", i, err)
		}
	}
	return nil
}

func (op *Op) check() error {
	switch op.Kind {
	case Insert, Put:
		if len(op.If) > 0 || len(op.Remove) > 0 {
			return fmt.Errorf("an insert or put takes neither conditions nor removals")
		}
	case Update:
		if len(op.Set)+len(op.Remove) == 0 {
			return fmt.Errorf("an update changes nothing")
		}
	case Delete:
		if len(op.Set)+len(op.Remove) > 0 {
			return fmt.Errorf("a delete takes no attributes")
		}
	default:
		return fmt.Errorf("unknown kind %d", op.Kind)
	}
	for name, v := range op.Set {
		if err := checkName(name); err != nil {
			return err
		}
		if err := checkValue(v); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
	}
	removed := make(map[string]bool, len(op.Remove))
	for _, name := range op.Remove {
		if err := checkName(name); err != nil {
			return err
		}
		if _, both := op.Set[name]; both || removed[name] {
			return fmt.Errorf("attribute %q is named twice", name)
		}
		removed[name] = true
	}
	for _, c := range op.If {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func checkName(name string) error {
	if name == "" || name == "pk" || name == "sk" || len(name) > 255 {
		return fmt.Errorf("%q cannot be an attribute's name", name)
	}
	return nil
}

func (c Cond) check() error {
	if err := checkName(c.Attr); err != nil {
		return err
	}
	switch c.Kind {
	case Missing, Present:
		if c.Value != nil {
			return fmt.Errorf("condition on %q takes no value", c.Attr)
		}
		return nil
	case Equals:
	case Less:
		switch c.Value.(type) {
		case string, Number:
		default:
			return fmt.Errorf("condition on %q: nothing is less than a %T", c.Attr, c.Value)
		}
	default:
		return fmt.Errorf("condition on %q: unknown kind %d", c.Attr, c.Kind)
	}
	if err := checkValue(c.Value); err != nil {
		return fmt.Errorf("condition on %q: %w", c.Attr, err)
	}
	return nil
}

// checkValue refuses what is no attribute's value. The depth is DynamoDB's.
func checkValue(v any) error { return checkDepth(v, 32) }

func checkDepth(v any, depth int) error {
	if depth == 0 {
		return fmt.Errorf("nested too deeply")
	}
	switch v := v.(type) {
	case string, bool:
		return nil
	case Number:
		if _, ok := v.Canonical(); !ok {
			return fmt.Errorf("not a number that a table holds")
		}
		return nil
	case []any:
		for _, e := range v {
			if err := checkDepth(e, depth-1); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, e := range v {
			if err := checkDepth(e, depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("an attribute cannot hold a %T", v)
}

// Check refuses a query that no table takes.
func (q Query) Check() error {
	if q.PK == "" {
		return fmt.Errorf("store: a query without a partition key")
	}
	if q.Prefix != "" && q.From != "" {
		return fmt.Errorf("store: a query with both Prefix and From")
	}
	if q.Limit < 0 {
		return fmt.Errorf("store: a query with a negative limit")
	}
	return nil
}
