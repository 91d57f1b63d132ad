package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/cobra"

	"github.com/dropload/dropload/infra/local"
	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/entity"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/wiring"
)

// session is what a command that talks to a deployed stack works with.
type session struct {
	*importer.Importer
	Tenant string
	JSON   bool
}

// opener connects to the stack that the flags name. It is a parameter of the
// commands, so that their tests need no stack.
type opener func(context.Context, *stackFlags) (*session, error)

// stackFlags say which stack a command talks to.
type stackFlags struct {
	tenant, stack, profile, region string
	json                           bool
}

func (f *stackFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.tenant, "tenant", "demo", "the tenant")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&f.stack, "stack", "", "a stack in your AWS account (default: the local one)")
	cmd.Flags().StringVar(&f.profile, "profile", "", "the AWS profile to find --stack with")
	cmd.Flags().StringVar(&f.region, "region", "", "the AWS region of --stack")
}

// openStack connects to the stack that --stack names, else to the one that the
// environment names as it does for the functions, else to the local one.
func openStack(ctx context.Context, f *stackFlags) (*session, error) {
	i, err := f.importer(ctx)
	if err != nil {
		return nil, err
	}
	return &session{Importer: i, Tenant: f.tenant, JSON: f.json}, nil
}

func (f *stackFlags) importer(ctx context.Context) (*importer.Importer, error) {
	switch {
	case f.stack != "":
		options := []func(*config.LoadOptions) error{config.WithSharedConfigProfile(f.profile)}
		if f.region != "" {
			options = append(options, config.WithRegion(f.region))
		}
		stack, err := local.Describe(ctx, f.stack, local.Stack{}, options...)
		if err != nil {
			return nil, err
		}
		return connect(ctx, &stack, options...)
	case f.profile != "" || f.region != "":
		return nil, usageError{"--profile and --region go with --stack NAME"}
	case os.Getenv("BUCKET") != "" && os.Getenv("CONTROL_TABLE") != "":
		stack, err := wiring.FromEnv()
		if err != nil {
			return nil, err
		}
		clients, err := awsclient.Load(ctx)
		if err != nil {
			return nil, err
		}
		return wiring.Importer(clients, stack, quietLog())
	}
	if err := local.Isolate(); err != nil {
		return nil, err
	}
	stack, err := local.Current(ctx, local.Options{})
	if err != nil {
		return nil, err
	}
	return connect(ctx, &stack, stack.LoadOptions()...)
}

// connect makes an importer over a deployed stack.
func connect(ctx context.Context, s *local.Stack, options ...func(*config.LoadOptions) error) (*importer.Importer, error) {
	clients, err := awsclient.Load(ctx, options...)
	if err != nil {
		return nil, err
	}
	return wiring.Importer(clients, wiring.Stack{
		Bucket: s.Bucket, Records: s.Tables.Records, Control: s.Tables.Control, StateMachine: s.StateMachine, Messages: s.Messages,
	}, quietLog())
}

// quietLog says nothing: a command's errors are its own to tell.
func quietLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// prepareTenant makes a tenant with its default feeds in a local stack.
func prepareTenant(id string) func(context.Context, *local.Stack) error {
	return func(ctx context.Context, s *local.Stack) error {
		i, err := connect(ctx, s, s.LoadOptions()...)
		if err != nil {
			return err
		}
		s.Tenant = id
		s.Feeds, err = createTenant(ctx, i, importer.Tenant{ID: id})
		return err
	}
}

// createTenant makes a tenant where it is not there, and returns the prefixes of
// its feeds.
func createTenant(ctx context.Context, i *importer.Importer, t importer.Tenant) (map[string]string, error) {
	if err := i.CreateTenant(ctx, t); err != nil {
		return nil, err
	}
	feeds, err := i.Feeds(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	prefixes := map[string]string{}
	for _, f := range feeds {
		prefixes[f.Name] = importer.InboxPrefix(t.ID, f.Name)
	}
	return prefixes, nil
}

// entity finds an entity of the tenant by its name.
func (s *session) entity(ctx context.Context, name string) (*entity.Definition, error) {
	catalog, err := s.CatalogOf(ctx, s.Tenant)
	if err != nil {
		return nil, err
	}
	if def, ok := catalog.Entity(name); ok {
		return def, nil
	}
	var names []string
	for _, def := range catalog.Entities() {
		names = append(names, def.Name)
	}
	return nil, usageError{fmt.Sprintf("there is no entity %q; there are %s", name, strings.Join(names, ", "))}
}
