package Watch::Control::Dahua;
# moves cameras that answer to this maker's interface
sub info { my $self = shift; return $self->get('/cgi-bin/magicBox.cgi?action=getSystemInfo'); }
sub move { my ($self, $x) = @_; return $self->get("/cgi-bin/ptz.cgi?action=start&code=$x"); }
sub conf { my $self = shift; return $self->get('/cgi-bin/configManager.cgi?action=getConfig'); }
1;
