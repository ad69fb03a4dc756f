# Perl's HTTP::Tiny.
use strict;
use warnings;
use HTTP::Tiny;

my ($operation, $url, $folder) = @ARGV;
my $client = HTTP::Tiny->new(keep_alive => 1);

sub content_of {
    my ($name) = @_;
    open my $file, '<:raw', "$folder/$name" or die "$name: $!";
    local $/;
    return scalar <$file>;
}

sub call {
    my ($method, $options) = @_;
    open my $answer, '>:raw', "$folder/answer" or die "answer: $!";
    $options->{data_callback} = sub { print {$answer} $_[0] };
    my $response = $client->request($method, $url, $options);
    # HTTP::Tiny tells its own failures as status 599.
    die $response->{content} if $response->{status} == 599;
    close $answer or die "answer: $!";
    print "$response->{status}\n";
}

if ($operation eq 'get' or $operation eq 'download') {
    call('GET', {});
} elsif ($operation eq 'post') {
    call('POST', {
        headers => { 'Content-Type' => 'application/json' },
        content => content_of('content.json'),
    });
} elsif ($operation eq 'upload') {
    my $form = join "\r\n", '--limit',
        'Content-Disposition: form-data; name="file"; filename="upload.bin"',
        'Content-Type: application/octet-stream', '', content_of('upload.bin'),
        '--limit--', '';
    call('POST', {
        headers => { 'Content-Type' => 'multipart/form-data; boundary=limit' },
        content => $form,
    });
} elsif ($operation eq 'keepalive') {
    call('GET', {}) for 1 .. 3;
} else {
    exit 2;
}
