package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/dropload/dropload/infra/local"
	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

// session is what a command that talks to a deployed stack works with.
type session struct {
	*importer.Importer
	Tenant string
	JSON   bool
}

// stackFlags say which stack a command talks to.
type stackFlags struct {
	tenant string
	json   bool
}

func (f *stackFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "demo", "the tenant")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
}

// open connects to the local stack.
func (f *stackFlags) open(ctx context.Context) (*session, error) {
	if err := local.Isolate(); err != nil {
		return nil, err
	}
	stack, err := local.Current(ctx, local.Options{})
	if err != nil {
		return nil, err
	}
	i, err := connect(ctx, &stack)
	if err != nil {
		return nil, err
	}
	return &session{Importer: i, Tenant: f.tenant, JSON: f.json}, nil
}

// connect makes an importer over a deployed stack.
func connect(ctx context.Context, s *local.Stack) (*importer.Importer, error) {
	clients, err := awsclient.Load(ctx, s.LoadOptions()...)
	if err != nil {
		return nil, err
	}
	return wiring.Importer(clients, wiring.Stack{
		Bucket: s.Bucket, Records: s.Tables.Records, Control: s.Tables.Control, StateMachine: s.StateMachine,
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// prepareTenant makes a tenant with its default feeds in a deployed stack.
func prepareTenant(id string) func(context.Context, *local.Stack) error {
	return func(ctx context.Context, s *local.Stack) error {
		i, err := connect(ctx, s)
		if err != nil {
			return err
		}
		if err := i.CreateTenant(ctx, importer.Tenant{ID: id}); err != nil {
			return err
		}
		feeds, err := i.Feeds(ctx, id)
		if err != nil {
			return err
		}
		s.Tenant, s.Feeds = id, map[string]string{}
		for _, f := range feeds {
			s.Feeds[f.Name] = importer.InboxPrefix(id, f.Name)
		}
		return nil
	}
}
